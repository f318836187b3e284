# SPDX-License-Identifier: BSD-2-Clause
"""Reads a TLS report by mail with Python's own MIME, gzip and JSON, and holds it against a schema.

tlsrpt.py SCHEMA MAIL: the words "POLICY:RESULT,RESULT" of its entries, or what is wrong."""
import email
import email.policy
import gzip
import json
import sys

import jsonschema


def main(schema_path, mail_path):
    with open(schema_path, encoding="utf-8") as file:
        schema = json.load(file)
    with open(mail_path, "rb") as file:
        mail = email.message_from_binary_file(file, policy=email.policy.default)
    assert mail.get_content_type() == "multipart/report" and mail.get_param("report-type") == "tlsrpt", mail["Content-Type"]
    assert not mail.defects, mail.defects
    words, report = list(mail.iter_parts())
    assert words.get_content_type() == "text/plain" and report.get_content_type() == "application/tlsrpt+gzip"
    submitter, domain = mail["TLS-Report-Submitter"], mail["TLS-Report-Domain"]
    assert report.get_filename().startswith(f"{submitter}!{domain}!") and report.get_filename().endswith(".json.gz")
    root = json.loads(gzip.decompress(report.get_payload(decode=True)))
    jsonschema.Draft202012Validator(schema).validate(root)
    assert root["contact-info"].split("@")[1] == submitter
    assert root["report-id"] in mail["Subject"]
    for entry in root["policies"]:
        results = sorted(detail["result-type"] for detail in entry.get("failure-details", []))
        print(entry["policy"]["policy-type"] + ":" + ",".join(results))


main(*sys.argv[1:])
