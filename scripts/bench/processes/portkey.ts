/** Portkey's gateway, its build for Node.js, at a port that is free, without its page of logs. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

import { freePort } from '../free-port.ts';

const RETRY_MS = 50;

const { RIVALS = '' } = process.env;

async function listens(port: number): Promise<boolean> {
    const socket = connect(port, '127.0.0.1');
    const isThere = await once(socket, 'connect').then(
        () => true,
        () => false,
    );
    socket.destroy();
    return isThere;
}

const port = await freePort();
// It tells at length of each stream that its client left.
console.error = () => undefined;
process.argv.push(`--port=${port}`, '--headless');
// It goes on for a second after it listens.
void import(pathToFileURL(`${RIVALS}/node_modules/@portkey-ai/gateway/build/start-server.js`).href);
while (!(await listens(port))) await sleep(RETRY_MS);
process.stdout.write(`listening on http://127.0.0.1:${port}\n`);
