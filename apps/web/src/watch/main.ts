/**
 * The watch page's first lines: makes the player known and puts the page together.
 */

import './watch.css';
import { defineVeilPlayer, offerFeed, openAhead } from '@veilcast/player';
import { mount } from 'svelte';
import { isEmpty, namedGateway, readLink } from './link';
import { speak } from './spoken.svelte';
import Watch from './Watch.svelte';

// For browsers without Media Source Extensions.
offerFeed(async (whole) => (await import('../shell/feed')).feed(whole));
const link = readLink(location, namedGateway(document));
if (!isEmpty(link)) openAhead(link);
void speak();
defineVeilPlayer();
// A task of its own: together with the scripts it would be a long one.
setTimeout(() => {
  const target = document.getElementById('app');
  if (target !== null) mount(Watch, { target });
});
