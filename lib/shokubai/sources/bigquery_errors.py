"""What goes wrong with BigQuery, said in one message: what, where, and what to do."""

from __future__ import annotations

import re
from typing import Any

from shokubai.config.model import BigQuery
from shokubai.core.errors import CostError, QueryError, ShokubaiError, UsageError

EXTRA = "shokubai[bigquery]"

# https://cloud.google.com/bigquery/docs/error-messages
_PASSING_STATUSES = {429, 500, 502, 503, 504}
_PASSING_REASONS = {
    "backendError",
    "badGateway",
    "internalError",
    "jobBackendError",
    "jobInternalError",
    "jobRateLimitExceeded",
    "rateLimitExceeded",
    "tableUnavailable",
}


def is_passing(error: BaseException) -> bool:
    """Whether the same request may succeed a little later."""
    import google.auth.exceptions
    import requests
    from google.api_core import exceptions

    if isinstance(error, requests.exceptions.SSLError):
        return False
    if isinstance(error, exceptions.GoogleAPICallError):
        # What a job failed of comes without an answer over HTTP, and the client makes up its status.
        return reason_of(error) in _PASSING_REASONS or (
            error.response is not None and error.code in _PASSING_STATUSES
        )
    return isinstance(
        error,
        ConnectionError
        | requests.exceptions.ConnectionError
        | requests.exceptions.ChunkedEncodingError
        | requests.exceptions.Timeout
        | google.auth.exceptions.TransportError,
    )


def reason_of(error: BaseException) -> str:
    """BigQuery's own word for what happened, empty where the answer holds none."""
    errors = getattr(error, "errors", None) or ()
    first = next(iter(errors), None)
    return str(first.get("reason", "")) if isinstance(first, dict) else ""


def explain(error: Exception, *, what: str, where: str, settings: BigQuery) -> Exception:
    """The error of ours for one that the client raised while doing ``what`` in the warehouse ``where``.

    Errors of ours, and what neither the service nor the network says, stay what they are.
    """
    if isinstance(error, ShokubaiError):
        return error
    import google.auth.exceptions
    import requests
    from google.api_core import exceptions

    said_by_others = (
        exceptions.GoogleAPIError,
        google.auth.exceptions.GoogleAuthError,
        requests.RequestException,
        OSError,
    )
    if not isinstance(error, said_by_others):
        return error
    cause = error
    if isinstance(error, exceptions.RetryError) and isinstance(error.cause, Exception):
        cause = error.cause
    head, said = f"{what} failed in {where}", _said(cause)
    if isinstance(cause, google.auth.exceptions.TransportError):
        return QueryError(f"{head}: the server that gives out credentials cannot be reached: {said}")
    if isinstance(cause, google.auth.exceptions.GoogleAuthError | exceptions.Unauthorized):
        return UsageError(
            f"{head}: the credentials are missing, expired or revoked: {said}\n"
            "Log in again (`gcloud auth application-default login`), or let GOOGLE_APPLICATION_CREDENTIALS name a "
            "service account's key; on Google Cloud, give the machine a service account."
        )
    reason = reason_of(cause)
    if reason == "bytesBilledLimitExceeded":
        return CostError(
            f"{what} was stopped by BigQuery in {where}: {said}\n"
            "Nothing was billed or written. Ask for less, or raise byte_cap in the warehouse file."
        )
    if is_passing(cause):
        return QueryError(f"{head}, also after trying again: {said}\nIt usually passes; run the same again later.")
    if reason == "quotaExceeded":
        return QueryError(f"{head}: a quota is used up: {said}\nWait until it is free again, or have it raised.")
    if isinstance(cause, exceptions.Forbidden):
        return QueryError(f"{head}: {said}\n{roles_needed(settings)}")
    if isinstance(cause, exceptions.NotFound):
        return QueryError(f"{head}: {said}\n{_not_found(said, settings)}")
    return QueryError(f"{head}: {said}")


def roles_needed(settings: BigQuery) -> str:
    """The least that the account must be allowed to do."""
    who = settings.impersonate or "the account in use"
    return (
        f"For {who} grant: roles/bigquery.jobUser on project {settings.billing_project}; roles/bigquery.dataViewer "
        f"on the datasets of the logs; roles/bigquery.dataEditor on {settings.dataset} only; and for faster results "
        f"roles/bigquery.readSessionUser on project {settings.billing_project}."
    )


def no_client(error: ImportError, *, where: str) -> UsageError:
    """The client's packages are not installed."""
    return UsageError(
        f"{where} is in BigQuery, and reading it takes packages that are not installed ({error.name or error})\n"
        f"Install them: pip install '{EXTRA}'"
    )


def _not_found(said: str, settings: BigQuery) -> str:
    project, dataset = settings.dataset.rsplit(".", 1)
    if re.search(rf"dataset {re.escape(project)}[:.]{re.escape(dataset)}\b", said, re.IGNORECASE):
        return (
            f"Shokubai's own dataset must be there before the first run, in the logs' location: "
            f"bq --location={settings.location} mk --dataset {project}:{dataset}"
        )
    return (
        f"Correct the name in the warehouse file. What lies in another location than {settings.location} is not "
        "found either."
    )


def _said(error: BaseException) -> str:
    """The message of the service, without the client's additions."""
    errors = getattr(error, "errors", None) or ()
    first: Any = next(iter(errors), None)
    if isinstance(first, dict) and first.get("message"):
        return str(first["message"]).strip()
    text = str(getattr(error, "message", "") or error).strip()
    return text.split("\n\nLocation:")[0].split("\n\n(job ID")[0].strip() or type(error).__name__
