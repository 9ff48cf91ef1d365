"""boto3 presigns the bench's 600 URLs, as many times as it is told; prints one JSON object for `cargo xtask bench sign`.

A first pass, which is not timed, signs with the bench's date: its signatures are compared with ours.
"""

import datetime
import json
import sys
import time

import boto3
import botocore.auth
from botocore.config import Config

job = json.loads(sys.argv[1])
client = boto3.client(
    "s3",
    aws_access_key_id=job["id"],
    aws_secret_access_key=job["secret"],
    region_name=job["region"],
    endpoint_url=job["endpoint"],
    config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
)
keys = [job["prefix"] + name for name in job["names"]]


def sign():
    parameters = [{"Bucket": job["bucket"], "Key": key} for key in keys]
    return [
        client.generate_presigned_url("get_object", Params=one, ExpiresIn=job["expires_s"])
        for one in parameters
    ]


now = botocore.auth.get_current_datetime
botocore.auth.get_current_datetime = lambda *_: datetime.datetime.strptime(
    job["date"], "%Y%m%dT%H%M%SZ"
)
signatures = [url.rsplit("X-Amz-Signature=", 1)[1] for url in sign()]
botocore.auth.get_current_datetime = now

passes_us = []
for _ in range(job["passes"]):
    start = time.perf_counter()
    sign()
    passes_us.append((time.perf_counter() - start) * 1e6)
print(json.dumps({"version": boto3.__version__, "signatures": signatures, "passes_us": passes_us}))
