/** The floor: bare node:http with ONE script call that reads a record, and nothing else of what the API does. */
import { createServer } from 'node:http';

import { Redis } from 'ioredis';

import type { AddressInfo } from 'node:net';

const READ = `return redis.call('GET', KEYS[1])`;

const redis = new Redis(process.env.REDIS_SOCKET ?? '');
redis.defineCommand('readRecord', { lua: READ, numberOfKeys: 1 });
const read = (redis as Redis & { readRecord: (key: string) => Promise<string> }).readRecord.bind(redis);

const server = createServer((_request, response) => {
    void read('bench:record').then((record) => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(record) });
        response.end(record);
    });
});
server.listen(0, '127.0.0.1', () => {
    process.stdout.write(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
