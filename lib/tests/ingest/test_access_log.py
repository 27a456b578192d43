"""Line formats: one hand-made line per case, and what it must become."""

import gzip

import duckdb
import pyarrow as pa
import pytest

from shokubai.core.errors import UsageError
from shokubai.ingest import LineFormat

PLAIN = '192.0.2.7 - - [17/May/2015:10:05:03 +0000] "GET /a HTTP/1.1" 200 12 "-" "curl/7"'
FIELDS = ("timestamp", "http_request_method", "http_route", "http_response_status_code", "duration_seconds")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (PLAIN, ("2015-05-17T10:05:03.000000", "GET", "/a", 200, None)),
        # common log format, a user with a space, no bytes
        (
            '192.0.2.7 - Jane Doe [17/May/2015:10:05:03 +0000] "POST /b?x=1 HTTP/1.0" 304 -',
            ("2015-05-17T10:05:03.000000", "POST", "/b", 304, None),
        ),
        # IPv6 client, HTTP/2, east of Greenwich: the day before in UTC
        (
            '2001:db8::17 - - [01/Mar/2016:08:59:59 +0900] "GET /c HTTP/2.0" 404 0 "-" "x"',
            ("2016-02-29T23:59:59.000000", "GET", "/c", 404, None),
        ),
        # a leap day, a zone with half an hour, west of Greenwich
        (
            '192.0.2.7 - - [29/Feb/2016:20:30:00 -0330] "HEAD / HTTP/1.1" 200 0 "-" "x"',
            ("2016-03-01T00:00:00.000000", "HEAD", "/", 200, None),
        ),
        # escaped quotes in referer and user agent (Apache) and \x22 (nginx)
        (
            r'192.0.2.7 - - [17/May/2015:10:05:03 +0000] "GET /d\x22 HTTP/1.1" 200 1 "http://a/\"q" "a \"b\" \x22c"',
            ("2015-05-17T10:05:03.000000", "GET", '/d"', 200, None),
        ),
        # an escaped quote in the request itself
        (
            r'192.0.2.7 - - [17/May/2015:10:05:03 +0000] "GET /e\"f HTTP/1.1" 200 1 "-" "x"',
            ("2015-05-17T10:05:03.000000", "GET", '/e"f', 200, None),
        ),
        # no protocol, as HTTP/0.9
        (
            '192.0.2.7 - - [17/May/2015:10:05:03 +0000] "GET /old" 200 1 "-" "x"',
            ("2015-05-17T10:05:03.000000", "GET", "/old", 200, None),
        ),
        # no request: the client connected and said nothing; nginx writes 400 or 000
        (
            '192.0.2.7 - - [17/May/2015:10:05:03 +0000] "-" 408 - "-" "-"',
            ("2015-05-17T10:05:03.000000", "_OTHER", "{malformed}", 408, None),
        ),
        (
            '192.0.2.7 - - [17/May/2015:10:05:03 +0000] "" 000 0 "-" "-"',
            ("2015-05-17T10:05:03.000000", "_OTHER", "{malformed}", None, None),
        ),
        # the beginning of a TLS handshake on a port without TLS
        (
            r'192.0.2.7 - - [17/May/2015:10:05:03 +0000] "\x16\x03\x01\x02\x00\x01\x00\x01\xFC" 400 150 "-" "-"',
            ("2015-05-17T10:05:03.000000", "_OTHER", "{malformed}", 400, None),
        ),
        # a method nobody knows, and methods are case-sensitive
        (
            '192.0.2.7 - - [17/May/2015:10:05:03 +0000] "PROPFIND /dav HTTP/1.1" 405 1 "-" "x"',
            ("2015-05-17T10:05:03.000000", "_OTHER", "/dav", 405, None),
        ),
        (
            '192.0.2.7 - - [17/May/2015:10:05:03 +0000] "get /f HTTP/1.1" 400 1 "-" "x"',
            ("2015-05-17T10:05:03.000000", "_OTHER", "/f", 400, None),
        ),
        # proxy requests
        (
            '192.0.2.7 - - [17/May/2015:10:05:03 +0000] "GET http://other.example/g?h HTTP/1.1" 200 1 "-" "x"',
            ("2015-05-17T10:05:03.000000", "GET", "/g", 200, None),
        ),
        (
            '192.0.2.7 - - [17/May/2015:10:05:03 +0000] "CONNECT 198.51.100.3:443 HTTP/1.1" 405 1 "-" "x"',
            ("2015-05-17T10:05:03.000000", "CONNECT", "{authority}", 405, None),
        ),
        # Apache's vhost_combined, nginx's main format (X-Forwarded-For at the end), a fraction in the time
        (
            'shop.example:443 192.0.2.7 - - [17/May/2015:10:05:03 +0000] "GET /h HTTP/1.1" 200 1 "-" "x"',
            ("2015-05-17T10:05:03.000000", "GET", "/h", 200, None),
        ),
        (PLAIN + ' "198.51.100.9"', ("2015-05-17T10:05:03.000000", "GET", "/a", 200, None)),
        (
            '192.0.2.7 - - [17/May/2015:10:05:03.25 +0000] "GET /i HTTP/1.1" 200 1 "-" "x"',
            ("2015-05-17T10:05:03.250000", "GET", "/i", 200, None),
        ),
        # nginx's $time_iso8601
        (
            '192.0.2.7 - - [2015-05-17T19:05:03+09:00] "GET /j HTTP/1.1" 200 1 "-" "x"',
            ("2015-05-17T10:05:03.000000", "GET", "/j", 200, None),
        ),
        # spaces in the target
        (
            '192.0.2.7 - - [17/May/2015:10:05:03 +0000] "GET /k l m HTTP/1.1" 200 1 "-" "x"',
            ("2015-05-17T10:05:03.000000", "GET", "/k l m", 200, None),
        ),
        # text that a browser would run stays what it is: text
        (
            '192.0.2.7 - - [17/May/2015:10:05:03 +0000] "GET /s/<script>alert(1)</script> HTTP/1.1" 200 1 "-" "x"',
            ("2015-05-17T10:05:03.000000", "GET", "/s/<script>alert(1)</script>", 200, None),
        ),
        # decimals are seconds
        (PLAIN + " 0.123", ("2015-05-17T10:05:03.000000", "GET", "/a", 200, 0.123)),
    ],
)
def test_a_line_becomes_a_request(write, importing, rows, line, expected):
    summary = importing(write(line))
    assert rows(*FIELDS) == [expected]
    assert (summary.read_count, summary.parsed_count, summary.repaired_count, summary.rejected_count) == (1, 1, 0, 0)


@pytest.mark.parametrize(
    ("line", "duration"),
    [
        # cut off within the user agent
        ('192.0.2.7 - - [17/May/2015:10:05:03 +0000] "GET /a HTTP/1.1" 200 1 "-" "Mozilla/5.0 (comp', None),
        # a quote in the user agent that nobody escaped
        ('192.0.2.7 - - [17/May/2015:10:05:03 +0000] "GET /a HTTP/1.1" 200 1 "-" "a "b" c" 0.5', 0.5),
    ],
)
def test_lines_with_broken_quotes_at_their_end_are_repaired(write, importing, rows, line, duration):
    summary = importing(write(PLAIN + " 0.1", line), line_format=LineFormat("combined+request_time"))
    assert (summary.parsed_count, summary.repaired_count) == (2, 1)
    assert rows("http_route", "duration_seconds") == [("/a", 0.1), ("/a", duration)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", "empty line"),
        ("192.0.2.7 GET /a", "no [time]"),
        (
            '192.0.2.7 - - [17/May/2015:10:05:03 +0000] "GET /a HTTP/1.1',
            'not client ident user [time] "request" status bytes',
        ),
        (
            '192.0.2.7 - - [31/Feb/2015:10:05:03 +0000] "GET /a HTTP/1.1" 200 1',
            "the time is none, or has no offset from UTC",
        ),
        (
            '192.0.2.7 - - [17/May/2015:10:05:03] "GET /a HTTP/1.1" 200 1',
            "the time is none, or has no offset from UTC",
        ),
        (
            '192.0.2.7 - - [17/May/2015:10:05:03 +9900] "GET /a HTTP/1.1" 200 1',
            "the time is none, or has no offset from UTC",
        ),
        ("2015/05/17 10:05:03 [error] 7#7: *1 open() failed, client: 192.0.2.7", "a line of an error log"),
    ],
)
def test_a_line_that_cannot_be_read_is_kept_with_its_number_and_reason(write, importing, rows, outputs, line, reason):
    summary = importing(write(PLAIN, line, PLAIN))
    assert (summary.read_count, summary.parsed_count, summary.rejected_count) == (3, 2, 1)
    assert len(rows("http_route")) == 2
    kept = (outputs / "imports/shop/rejected/access.log.txt").read_text()
    assert kept.startswith(f"2\t{reason}\t")
    assert "192.0.2.7" not in kept


def test_kept_lines_name_nobody(write, importing, outputs):
    importing(
        write(
            PLAIN,
            'host.example.com - alice [17/May/2015:10:05:03] "GET /reset?token=s3cret&m=a@b.example HTTP/1.1" 200 1',
            "broken 2001:db8::17 bob@mail.example 198.51.100.4:8080",
        ),
        allow_rejected=True,
    )
    kept = (outputs / "imports/shop/rejected/access.log.txt").read_text()
    for secret in ("host.example", "alice", "s3cret", "b.example", "2001:db8", "bob@", "198.51"):
        assert secret not in kept
    assert "GET /reset?{query} HTTP/1.1" in kept


@pytest.mark.parametrize(
    ("appended", "line_format", "seconds"),
    [
        (" 362453", "combined+%D", 0.362453),
        (" 2", "combined+%T", 2.0),
        (" 250", "combined+%{ms}T", 0.25),
        (" 0.012 0.010 .", "combined+request_time", 0.012),
        (" -", "combined+request_time", None),
        (" 362453", "combined", None),
    ],
)
def test_declared_duration_fields(write, importing, rows, appended, line_format, seconds):
    importing(write(PLAIN + appended), line_format=LineFormat(line_format))
    assert rows("duration_seconds") == [(seconds,)]


@pytest.mark.parametrize("appended", [" 362453", " 0.012 0.010", " HIT"])
def test_an_ambiguous_duration_is_refused_until_it_is_declared(write, importing, outputs, appended):
    with pytest.raises(UsageError, match=r"can be read in more than one way.*\n.*combined\+%D"):
        importing(write(PLAIN + appended, PLAIN + appended))
    assert not outputs.exists()


def test_what_was_recognised_is_stated(write, importing):
    assert importing(write(PLAIN)).sources[0].notes == ("recognised as combined, without durations",)
    decimal = importing(write(PLAIN + " 0.123"))
    assert "'0.123' has decimals, so it is seconds" in decimal.sources[0].notes[0]


def test_unknown_format_names_the_nearest():
    with pytest.raises(UsageError, match=r"did you mean 'combined\+request_time'"):
        LineFormat("combined+request-time")


def test_unsorted_lines_are_sorted_within_each_utc_day(write, importing, outputs):
    def line(time: str, path: str) -> str:
        return f'192.0.2.7 - - [{time}] "GET {path} HTTP/1.1" 200 1 "-" "x"'

    importing(
        write(
            line("18/May/2015:00:00:01 +0000", "/d"),
            line("17/May/2015:23:59:59 +0000", "/b"),
            line("18/May/2015:08:59:59 +0900", "/c"),  # 23:59:59 the day before; after /b in the file
            line("17/May/2015:00:00:00 +0000", "/a"),
        )
    )
    days = sorted(outputs.glob("imports/shop/requests/*"))
    assert [day.name for day in days] == ["day=2015-05-17", "day=2015-05-18"]
    assert [
        [route for (route,) in duckdb.sql(f"SELECT http_route FROM '{day}/*.parquet'").fetchall()] for day in days
    ] == [["/a", "/b", "/c"], ["/d"]]


def test_the_published_columns_and_types_are_the_contract(write, importing, outputs):
    importing(write(PLAIN))
    described = duckdb.sql(
        "DESCRIBE SELECT * "
        f"FROM read_parquet('{outputs}/imports/shop/requests/*/*.parquet', hive_partitioning = false)"
    )
    assert [(name, kind) for name, kind, *_ in described.fetchall()] == [
        ("timestamp", "TIMESTAMP WITH TIME ZONE"),
        ("service_name", "VARCHAR"),
        ("http_route", "VARCHAR"),
        ("http_request_method", "VARCHAR"),
        ("http_response_status_code", "BIGINT"),
        ("duration_seconds", "DOUBLE"),
        ("user_key", "VARCHAR"),
        ("region", "VARCHAR"),
        ("service_version", "VARCHAR"),
        ("trace_id", "VARCHAR"),
    ]


def test_bytes_that_are_no_utf8_windows_line_ends_and_a_last_line_without_end(tmp_path, importing, rows):
    file = tmp_path / "access.log"
    first = PLAIN.replace("curl/7", "caf\u00e9").encode("latin-1")
    file.write_bytes(first + b"\r\n" + PLAIN.replace("/a", "/b\x00c").encode() + b"\n" + PLAIN.encode())
    summary = importing(file)
    assert (summary.read_count, summary.parsed_count) == (3, 3)
    assert sorted(rows("http_route")) == [("/a",), ("/a",), ("/bc",)]


def test_compressed_files_count_as_their_content(tmp_path, importing, rows):
    text = (PLAIN + "\n").encode() * 3
    zipped, packed = tmp_path / "access.log.1.gz", tmp_path / "access.log.2.zst"
    zipped.write_bytes(gzip.compress(text[: len(text) // 3]) + gzip.compress(text[len(text) // 3 :]))  # two members
    with pa.CompressedOutputStream(str(packed), "zstd") as stream:
        stream.write((PLAIN.replace("/a", "/b") + "\n").encode())
    assert importing(zipped, packed).read_count == 4
    assert rows("http_route") == [("/a",), ("/a",), ("/a",), ("/b",)]


def test_a_compressed_file_that_ends_too_early_is_refused(tmp_path, importing, outputs):
    file = tmp_path / "access.log.gz"
    lines = "".join(f"{PLAIN} {n * 7919 % 1000 / 1000:.3f}\n" for n in range(200_000))
    whole = gzip.compress(lines.encode())
    file.write_bytes(whole[: len(whole) - 100])
    with pytest.raises(UsageError, match="ends too early"):
        importing(file)
    assert not outputs.exists()


def test_a_file_larger_than_a_block_keeps_its_line_numbers(tmp_path, importing, outputs, monkeypatch):
    monkeypatch.setattr("shokubai.ingest.content._BLOCK_BYTES", 1000)
    lines = [PLAIN.replace("/a", f"/p{'abcdef'[n % 6]}") for n in range(100)]
    lines[57] = "nonsense"
    file = tmp_path / "access.log"
    file.write_text("\n".join(lines))
    summary = importing(file)
    assert (summary.read_count, summary.parsed_count) == (100, 99)
    kept = (outputs / "imports/shop/rejected/access.log.txt").read_text()
    assert kept == "58\tno [time]\tnonsense\n"
