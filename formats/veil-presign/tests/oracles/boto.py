"""Oracle: PyPI's `boto3` for presigned URLs, botocore's CloudFrontSigner with `cryptography`'s ECDSA for CloudFront.

Called with the path of a JSON request {"ask": "s3" or "cloudfront", "cases": […]}; prints the JSON list of answers. Knows
nothing of this project: it signs what it is given.
"""

import datetime
import json
import sys

import boto3
import botocore.auth
from botocore.config import Config
from botocore.signers import CloudFrontSigner
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


def s3(case):
    date = datetime.datetime.strptime(case["date"], "%Y%m%dT%H%M%SZ")
    botocore.auth.get_current_datetime = lambda *_: date
    client = boto3.client(
        "s3",
        aws_access_key_id=case["id"],
        aws_secret_access_key=case["secret"],
        aws_session_token=case["token"],
        region_name=case["region"],
        endpoint_url=case["endpoint"],
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    return client.generate_presigned_url(
        "get_object",
        Params={"Bucket": case["bucket"], "Key": case["key"]},
        ExpiresIn=case["expires_s"],
    )


def cloudfront(case):
    key = serialization.load_pem_private_key(case["pem"].encode(), password=None)
    algorithm = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
    signer = CloudFrontSigner(case["id"], lambda message: key.sign(message, algorithm))
    end = datetime.datetime.fromtimestamp(case["end_s"], datetime.timezone.utc)
    policy = signer.build_policy(case["resource"], end)
    return signer.generate_presigned_url(case["url"], policy=policy)


ASKED = {"s3": s3, "cloudfront": cloudfront}

with open(sys.argv[1], encoding="utf-8") as file:
    request = json.load(file)
print(json.dumps([ASKED[request["ask"]](case) for case in request["cases"]]))
