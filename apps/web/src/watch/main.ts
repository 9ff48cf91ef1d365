/**
 * The watch page's first lines: makes the player known and puts the page together.
 */

import './watch.css';
import { defineVeilPlayer } from '@veilcast/player';
import { mount } from 'svelte';
import Watch from './Watch.svelte';

defineVeilPlayer();
const target = document.getElementById('app');
if (target !== null) mount(Watch, { target });
