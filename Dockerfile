# One image for every step: `run`, `run --shard` and `join`. All machines of a run take the same image: shards made by
# other code or from other parameters are not joined.

FROM python:3.11-slim-bookworm AS build
RUN python -m venv /opt/shokubai
WORKDIR /build
COPY pyproject.toml README.md LICENSE constraints.txt ./
COPY lib/shokubai lib/shokubai
RUN /opt/shokubai/bin/pip install --no-cache-dir --disable-pip-version-check -c constraints.txt '.[bigquery]'

FROM python:3.11-slim-bookworm
RUN useradd --create-home --uid 1000 shokubai \
    && install -d -o shokubai -g shokubai /srv/shokubai /srv/shokubai/outputs
COPY --from=build /opt/shokubai /opt/shokubai
WORKDIR /srv/shokubai
COPY notebooks notebooks
COPY parameters parameters
ENV PATH=/opt/shokubai/bin:$PATH
# A number, so that Kubernetes can see that it is not root.
USER 1000:1000
VOLUME /srv/shokubai/outputs
ENTRYPOINT ["shokubai"]
CMD ["--help"]
