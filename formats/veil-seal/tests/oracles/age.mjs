/**
 * Oracle: npm's `age-encryption`, the age of its own author, for the text forms of identities and recipients.
 *
 * Called with the path of a JSON request {"cases": [{"identity", "recipient"}, …]}. For each it prints the recipient that
 * age finds for the identity, whether age opens with the identity what it sealed for the recipient, and a pair of its own.
 */

import { readFileSync } from 'node:fs';
import { Decrypter, Encrypter, generateHybridIdentity, identityToRecipient } from 'age-encryption';

async function opensItsOwn(identity, recipient) {
  const encrypter = new Encrypter();
  encrypter.addRecipient(recipient);
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  return (await decrypter.decrypt(await encrypter.encrypt('age'), 'text')) === 'age';
}

async function answer({ identity, recipient }) {
  const own = await generateHybridIdentity();
  return {
    recipient: await identityToRecipient(identity),
    opens: await opensItsOwn(identity, recipient),
    own: { identity: own, recipient: await identityToRecipient(own) },
  };
}

const { cases } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
console.log(JSON.stringify(await Promise.all(cases.map(answer))));
