/**
 * Oracle: npm's `@aws-sdk/cloudfront-signer`, and Node's own ECDSA to verify what others signed.
 *
 * Called with the path of a JSON request {"ask": "sign" or "verify", "cases": […]}; prints the JSON list of answers. Knows
 * nothing of this project: it signs what it is given.
 */

import { createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { getSignedCookies, getSignedUrl } from '@aws-sdk/cloudfront-signer';

const decoded = (text) =>
  Buffer.from(text.replaceAll('-', '+').replaceAll('_', '=').replaceAll('~', '/'), 'base64');

const asked = {
  sign: ({ url, id, pem, policy }) => {
    const job = { url, keyPairId: id, privateKey: pem, policy, algorithm: 'SHA256' };
    return { url: getSignedUrl(job), cookies: getSignedCookies(job) };
  },
  verify: ({ policy, signature, pem }) =>
    verify('sha256', decoded(policy), createPublicKey(pem), decoded(signature)),
};

const request = JSON.parse(readFileSync(process.argv[2], 'utf8'));
process.stdout.write(JSON.stringify(request.cases.map((one) => asked[request.ask](one))));
