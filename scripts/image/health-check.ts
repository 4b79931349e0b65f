/** Asks the program in the same container whether it lives: exit code 0, or 1 with the reason. */
import { get } from 'node:http';

const PATIENCE_MS = 3_000;

/** A worker serves nothing but what monitoring asks for. */
const { ROLE, PORT, METRICS_PORT, HOST = '' } = process.env;
const port = ROLE === 'worker' ? METRICS_PORT : PORT || '3000';
const host = HOST === '' || HOST === '0.0.0.0' || HOST === '::' ? '127.0.0.1' : HOST;

const end = (reason?: string): never => {
    if (reason !== undefined) process.stderr.write(`${reason}\n`);
    process.exit(reason === undefined ? 0 : 1);
};

if (!port || port === '0') end('A worker can be asked only where METRICS_PORT is given');

get({ host, port, path: '/health/live', timeout: PATIENCE_MS }, ({ statusCode }) => {
    end(statusCode === 200 ? undefined : `It answered ${statusCode}`);
})
    .on('timeout', () => end(`No answer within ${PATIENCE_MS} ms`))
    .on('error', ({ message }) => end(message));
