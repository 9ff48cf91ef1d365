/**
 * A studio that runs, and somebody at its page.
 *
 * Knows the words of the page in English, since those are what a person acts by.
 */

import type { BrowserContext, Locator, Page } from 'playwright-core';
import { expect } from 'vitest';
import { Running } from './server';

/** How long a job of a test may take. */
const JOB_LIMIT_MS = 120_000;

/** Starts `veilcast studio` on a data folder, with these arguments as well. */
export function startStudio(
  data: string,
  ...more: readonly string[]
): Promise<Running<{ readonly url: string }>> {
  const args = ['--data', data, '--json', 'studio', '--listen', '127.0.0.1:0', ...more];
  return Running.start('veilcast', args);
}

/** Somebody at the studio's page. */
export class Desk {
  readonly errors: string[] = [];
  /** Methods and paths of the interface that the page asked for. */
  readonly asked: string[] = [];

  private constructor(readonly page: Page) {
    page.on('pageerror', (error) => this.errors.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error' && /Content Security|Trusted/.test(message.text()))
        this.errors.push(message.text());
    });
    page.on('request', (request) => {
      const { pathname } = new URL(request.url());
      if (/^\/(?:v1|performance)\//.test(pathname))
        this.asked.push(`${request.method()} ${pathname}`);
    });
  }

  /** Opens the printed address in a new page of `context`. */
  static async open(context: BrowserContext, url: string): Promise<Desk> {
    const desk = new Desk(await context.newPage());
    await desk.page.goto(url);
    await desk.heading('Library').waitFor();
    return desk;
  }

  heading(name: string): Locator {
    return this.page.getByRole('heading', { name, level: 1 });
  }

  button(name: string | RegExp): Locator {
    return this.page.getByRole('button', { name, exact: typeof name === 'string' });
  }

  /** Goes to a place, as a click on a link does. */
  async go(place: string): Promise<void> {
    await this.page.evaluate((hash) => {
      location.hash = hash;
    }, `#/${place}`);
  }

  /** Chooses files to upload and waits until all have arrived. */
  async upload(...files: string[]): Promise<void> {
    await this.go('library');
    await this.page.locator('header input[type=file]').setInputFiles(files);
    await this.page.getByText('Everything has arrived').waitFor({ timeout: 60_000 });
    await this.button('Clear').click();
  }

  /** Makes a production of a story, and returns its id. */
  async produce(name: string, story: string): Promise<string> {
    await this.go('production');
    await this.button('New production').first().click();
    await this.page.getByLabel('Name').fill(name);
    await this.page.getByLabel('Story').fill(story);
    await this.button('Create').click();
    await this.page.getByRole('listbox', { name: 'Scenes' }).waitFor();
    return this.page.evaluate(() => location.hash.split('/')[2] ?? '');
  }

  /** The scenes' texts, as the timeline has them. */
  async scenes(): Promise<string[]> {
    return this.page.getByRole('option').locator('.text').allInnerTexts();
  }

  /** Waits until everything is saved. */
  async saved(): Promise<void> {
    await this.page.locator('[role=status]').getByText('Saved', { exact: true }).waitFor();
  }

  /** Waits until a place shows `text`. */
  async sees(text: string | RegExp, limitMs = JOB_LIMIT_MS): Promise<void> {
    await this.page.getByText(text).first().waitFor({ timeout: limitMs });
  }

  /** What the page breaks: errors and breaches of its policy. */
  expectPeace(): void {
    expect(this.errors).toEqual([]);
  }
}
