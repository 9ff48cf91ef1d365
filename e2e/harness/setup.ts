/**
 * Runs once before all tests: imports the trailer, starts studio and gateway; ends them after.
 */

import type { TestProject } from 'vitest/node';
import { trailer, Veilcast } from './veilcast';

declare module 'vitest' {
  interface ProvidedContext {
    readonly data: string;
    readonly url: string;
    readonly title: string;
  }
}

/** The name of the title that all tests share. */
export const TITLE = 'Sintel';

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const house = await Veilcast.create();
  const { id } = await house.import(await trailer(), TITLE, '480,720');
  project.provide('data', house.data);
  project.provide('title', id);
  project.provide('url', await house.start());
  return () => house.destroy();
}
