/**
 * The studio's first lines: takes the session from the address and puts the page together.
 */

import './studio.css';
import { mount } from 'svelte';
import { start } from './api/session.svelte';
import App from './App.svelte';
import { chosenTheme, showTheme } from './ui/theme';
import { chosenLanguage, speak } from './words/spoken.svelte';

showTheme(chosenTheme());
void start();
void speak(chosenLanguage());
// A task of its own: together with the scripts it would be a long one.
setTimeout(() => {
  const target = document.getElementById('app');
  if (target !== null) mount(App, { target });
  if (import.meta.env.PROD) {
    import('./shell/install').then(
      ({ installWhenIdle }) => installWhenIdle(),
      () => undefined,
    );
  }
});
