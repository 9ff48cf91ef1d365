/**
 * Edits that could not be sent: they are kept in this browser until the studio takes them.
 *
 * One edit a production: the newest. Knows nothing of sending. Invariant: an edit leaves the box when the server has
 * it, or when somebody says so.
 */

/** An edit. */
export interface Kept {
  readonly id: string;
  readonly name: string;
  readonly document: unknown;
  /** The revision that was edited. */
  readonly revision: number;
  readonly keptMs: number;
}

const NAME = 'veilcast-studio';
const STORE = 'outbox';

function asked<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result));
    request.addEventListener('error', () => reject(request.error ?? new Error('no storage')));
  });
}

async function box(mode: IDBTransactionMode): Promise<IDBObjectStore> {
  const opening = indexedDB.open(NAME, 1);
  opening.addEventListener('upgradeneeded', () => {
    opening.result.createObjectStore(STORE, { keyPath: 'id' });
  });
  return (await asked(opening)).transaction(STORE, mode).objectStore(STORE);
}

/** The box. Where the browser keeps nothing, it is empty. */
export const outbox = {
  async keep(kept: Kept): Promise<void> {
    await asked((await box('readwrite')).put(kept));
  },
  async find(id: string): Promise<Kept | null> {
    const found = await box('readonly').then((store) =>
      asked(store.get(id) as IDBRequest<Kept | undefined>),
    );
    return found ?? null;
  },
  async drop(id: string): Promise<void> {
    await asked((await box('readwrite')).delete(id));
  },
};
