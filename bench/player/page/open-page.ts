/**
 * Opens a hundred megabytes in the Workers of a pool; `openAll('open')` says how long it took, in milliseconds. With `decrypt`
 * they are decrypted and no more.
 */

import { openerCount } from '../../../player/src/engine/pool';
import OpenWorker from './open.worker.ts?worker';
import { OBJECT_BYTES, OBJECTS } from './sizes';

const processors = navigator.hardwareConcurrency;
const workers = Array.from({ length: openerCount(processors) + 1 }, () => new OpenWorker());

/** Waits for one message of every Worker. */
function heardAll(): Promise<unknown> {
  const heard = (worker: Worker) =>
    new Promise((done) => worker.addEventListener('message', done, { once: true }));
  return Promise.all(workers.map(heard));
}

async function ready(): Promise<void> {
  const sealed = await (await fetch('/sealed')).arrayBuffer();
  const heard = heardAll();
  for (const worker of workers) worker.postMessage(sealed);
  await heard;
}

/** Each Worker has two objects under way, as a player has a picture and a sound, and the page gets all of them. */
async function openAll(what: 'open' | 'decrypt'): Promise<number> {
  await isReady;
  const heard = new AbortController();
  const start = performance.now();
  let asked = 0;
  let bytes = 0;
  await new Promise<void>((done) => {
    const ask = (worker: Worker): void => {
      if (asked++ < OBJECTS) worker.postMessage(what);
    };
    const hear = (worker: Worker, { data }: MessageEvent<{ byteLength: number }>): void => {
      bytes += data.byteLength;
      if (bytes === OBJECTS * OBJECT_BYTES) done();
      else ask(worker);
    };
    for (const worker of workers) {
      worker.addEventListener('message', (event) => hear(worker, event), { signal: heard.signal });
      ask(worker);
      ask(worker);
    }
  });
  const end = performance.now();
  heard.abort();
  return end - start;
}

const isReady = ready();
Object.assign(globalThis, { openAll });
