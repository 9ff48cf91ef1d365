// aws4fetch presigns the bench's 600 URLs, as many times as it is told; prints one JSON object for `cargo xtask bench sign`.
//
// Each pass has a client of its own, so that each derives its signing key. A first pass, which is not timed, signs with the
// bench's date: its signatures are compared with ours.

import { readFileSync } from 'node:fs';
import { AwsClient } from 'aws4fetch';

const job = JSON.parse(process.argv[2]);

async function sign(datetime) {
  const client = new AwsClient({
    accessKeyId: job.id,
    secretAccessKey: job.secret,
    region: job.region,
    service: 's3',
  });
  const urls = [];
  for (const name of job.names) {
    const url = `${job.endpoint}/${job.bucket}/${job.prefix}${name}?X-Amz-Expires=${job.expires_s}`;
    const signed = await client.sign(url, { aws: { signQuery: true, datetime } });
    urls.push(signed.url);
  }
  return urls;
}

const signatures = (await sign(job.date)).map(
  (url) => /X-Amz-Signature=([0-9a-f]{64})/.exec(url)[1],
);
const passesUs = [];
for (let pass = 0; pass < job.passes; pass += 1) {
  const start = performance.now();
  await sign();
  passesUs.push((performance.now() - start) * 1e3);
}
const { version } = JSON.parse(
  readFileSync(new URL('../../node_modules/aws4fetch/package.json', import.meta.url)),
);
process.stdout.write(JSON.stringify({ version, signatures, passes_us: passesUs }));
