/**
 * The watch page's first lines: makes the player known and puts the page together.
 */

import './watch.css';
import { defineVeilPlayer, offerFeed } from '@veilcast/player';
import { mount } from 'svelte';
import { speak } from './spoken.svelte';
import Watch from './Watch.svelte';

// For browsers without Media Source Extensions.
offerFeed(async (whole) => (await import('../shell/feed')).feed(whole));
void speak();
defineVeilPlayer();
const target = document.getElementById('app');
if (target !== null) mount(Watch, { target });
