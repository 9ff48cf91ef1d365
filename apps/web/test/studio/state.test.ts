/**
 * The studio's state: lists that come in pages, and a production that saves itself.
 */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError } from '../../src/studio/api/problem';
import type { Saved } from '../../src/studio/api/productions';
import type { Kept } from '../../src/studio/edit/outbox';
import { Paged, type Page } from '../../src/studio/list/paged.svelte';
import type { Production } from '../../src/studio/production/document';
import { Editor } from '../../src/studio/production/editor.svelte';

const server = vi.hoisted(() => ({ get: vi.fn(), put: vi.fn() }));
const box = vi.hoisted(() => new Map<string, unknown>());
vi.mock('../../src/studio/api/productions', () => ({ productions: server }));
vi.mock('../../src/studio/edit/outbox', () => ({
  outbox: {
    keep: async (kept: Kept) => void box.set(kept.id, kept),
    find: async (id: string) => box.get(id) ?? null,
    drop: async (id: string) => void box.delete(id),
  },
}));

const all = Array.from({ length: 1200 }, (_, index) => ({ id: String(index) }));
const pages = async (after: string | null, limit: number): Promise<Page<{ id: string }>> => {
  const from = Number(after ?? 0);
  const next = from + limit < all.length ? String(from + limit) : null;
  return { items: all.slice(from, from + limit), next, total: all.length };
};

describe('a list in pages', () => {
  it('has as much as somebody looks at, each item once', async () => {
    const asked = vi.fn(pages);
    const list = new Paged(asked);
    await list.reload();
    expect([list.items.length, list.total]).toEqual([100, 1200]);
    await list.reach(50);
    expect(asked).toHaveBeenCalledTimes(1);
    await list.reach(1199);
    expect(list.items.map(({ id }) => id)).toEqual(all.map(({ id }) => id));
    expect(asked).toHaveBeenCalledTimes(4);
  });

  it('keeps what was there where asking fails, and says so', async () => {
    let isAway = false;
    const list = new Paged((after, limit) =>
      isAway ? Promise.reject(new TypeError('no network')) : pages(after, limit),
    );
    await list.reload();
    isAway = true;
    await list.reload();
    expect(list.items.length).toBe(100);
    expect(list.error?.fault).toBe('unreachable');
    isAway = false;
    await list.reload();
    expect(list.error).toBeNull();
  });

  it('drops the answer to an older question', async () => {
    const answers: ((page: Page<{ id: string }>) => void)[] = [];
    const list = new Paged<{ id: string }>(() => new Promise((resolve) => answers.push(resolve)));
    const [older, newer] = [list.reload(), list.reload()];
    answers[1]?.({ items: [{ id: 'new' }], next: null, total: 1 });
    answers[0]?.({ items: [{ id: 'old' }], next: null, total: 1 });
    await Promise.all([older, newer]);
    expect(list.items).toEqual([{ id: 'new' }]);
  });

  it('changes and loses an item at once', async () => {
    const list = new Paged(pages);
    await list.reload();
    list.replace('3', null);
    expect([list.items.length, list.total]).toEqual([99, 1199]);
    expect(list.items.some(({ id }) => id === '3')).toBe(false);
  });
});

describe('a production', () => {
  const saved = (revision: number, title: string): Saved => ({
    name: 'P',
    revision,
    document: { title },
  });
  let stored: Saved;

  beforeEach(() => {
    vi.useFakeTimers();
    box.clear();
    stored = saved(1, 'first');
    server.get.mockImplementation(async () => stored);
    server.put.mockImplementation(
      async (_: string, revision: number, name: string, document: Production) => {
        if (revision !== stored.revision) throw new ApiError('conflict', 412, '');
        stored = { name, document, revision: revision + 1 };
        return stored;
      },
    );
  });
  afterEach(() => vi.useRealTimers());

  const type = (editor: Editor, title: string): void =>
    editor.edit('title', (document) => ({ ...document, title }));
  const calm = () => vi.advanceTimersByTimeAsync(700);

  it('saves itself once typing pauses, in one go', async () => {
    const editor = await Editor.open('p');
    for (const title of ['s', 'se', 'second']) type(editor, title);
    expect([editor.state, server.put.mock.calls.length]).toEqual(['edited', 0]);
    await calm();
    expect([editor.state, stored.document.title, stored.revision]).toEqual(['saved', 'second', 2]);
    editor.undo();
    await calm();
    expect([editor.document.title, stored.document.title, stored.revision]).toEqual([
      'first',
      'first',
      3,
    ]);
  });

  it('saves what was typed while it saved', async () => {
    const editor = await Editor.open('p');
    let arrive: () => void = () => undefined;
    server.put.mockImplementationOnce(async (_id, revision: number, name, document) => {
      await new Promise<void>((resolve) => (arrive = resolve));
      stored = { name, document, revision: revision + 1 };
      return stored;
    });
    type(editor, 'second');
    await calm();
    expect(editor.state).toBe('saving');
    type(editor, 'third');
    await calm();
    arrive();
    await calm();
    expect([stored.document.title, stored.revision, editor.state]).toEqual(['third', 3, 'saved']);
  });

  it('is kept in the browser while the studio is away, and sent when it is back', async () => {
    const editor = await Editor.open('p');
    server.put.mockRejectedValueOnce(new TypeError('Failed to fetch'));
    type(editor, 'offline');
    await calm();
    expect([editor.state, box.size]).toEqual(['kept', 1]);
    await vi.advanceTimersByTimeAsync(6000);
    expect([editor.state, stored.document.title, box.size]).toEqual(['saved', 'offline', 0]);
  });

  it('is there again after the page was closed meanwhile', async () => {
    box.set('p', { id: 'p', name: 'P', document: { title: 'kept' }, revision: 1, keptMs: 0 });
    server.get.mockRejectedValueOnce(new TypeError('Failed to fetch'));
    const away = await Editor.open('p');
    expect(away.document.title).toBe('kept');
    away.close();
    box.set('p', { id: 'p', name: 'P', document: { title: 'kept' }, revision: 2, keptMs: 0 });
    const editor = await Editor.open('p');
    expect(editor.document.title).toBe('kept');
    await calm();
    expect([stored.document.title, editor.state, box.size]).toEqual(['kept', 'saved', 0]);
  });

  it('asks where somebody else changed it, and overwrites nobody', async () => {
    const editor = await Editor.open('p');
    stored = saved(2, 'theirs');
    type(editor, 'mine');
    await calm();
    expect([editor.state, editor.theirs?.document.title]).toEqual(['conflict', 'theirs']);
    type(editor, 'mine, more');
    await calm();
    expect(stored.document.title).toBe('theirs');
    await editor.keepMine();
    expect([stored.document.title, stored.revision, editor.state]).toEqual([
      'mine, more',
      3,
      'saved',
    ]);
  });

  it('takes theirs, and mine can be had again by undoing', async () => {
    const editor = await Editor.open('p');
    type(editor, 'mine');
    stored = saved(5, 'theirs');
    await editor.told(5);
    expect(editor.state).toBe('conflict');
    editor.takeTheirs();
    expect([editor.document.title, editor.state, editor.revision]).toEqual(['theirs', 'saved', 5]);
    editor.undo();
    await calm();
    expect([stored.document.title, stored.revision]).toEqual(['mine', 6]);
  });

  it('follows others where nothing was changed here', async () => {
    const editor = await Editor.open('p');
    stored = saved(2, 'theirs');
    await editor.told(2);
    expect([editor.document.title, editor.state]).toEqual(['theirs', 'saved']);
    await editor.told(2);
    expect(server.get).toHaveBeenCalled();
  });

  it('says what the studio refuses, and does not try again by itself', async () => {
    const editor = await Editor.open('p');
    server.put.mockRejectedValueOnce(new ApiError('refused', 422, 'scenes[0].txt: unknown field'));
    type(editor, 'x');
    await calm();
    expect([editor.state, editor.error?.detail]).toEqual([
      'refused',
      'scenes[0].txt: unknown field',
    ]);
    const calls = server.put.mock.calls.length;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(server.put.mock.calls.length).toBe(calls);
  });
});
