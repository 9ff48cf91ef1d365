/**
 * What this browser remembers of how somebody likes the page. Nothing secret is kept here.
 */

/** The store; where the browser has none, nothing is remembered. */
export const store = {
  get(name: string): string | null {
    try {
      return localStorage.getItem(name);
    } catch {
      return null;
    }
  },
  set(name: string, value: string): void {
    try {
      localStorage.setItem(name, value);
    } catch {
      // A private window: it is not remembered.
    }
  },
};
