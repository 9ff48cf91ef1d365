/**
 * The one script of all Workers of a page: its name says what a Worker is.
 *
 * Vault and openers share most of their code, and so it is loaded once.
 */

import { serveAsOpener } from './opener-worker';
import { serveAsVault } from './vault-worker';

if (self.name === 'vault') serveAsVault();
else serveAsOpener();
