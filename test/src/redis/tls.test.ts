import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import { generate } from 'selfsigned';

import { connectRedis } from '../../../src/redis/client.ts';
import { temporaryFolder } from '../../helpers/folder.ts';
import { freePort } from '../../helpers/free-ports.ts';
import { startCluster, type TestRedis } from '../../helpers/redis.ts';
import { silentLogger } from '../../helpers/store.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

describe('connectRedis with TLS', { timeout: 30_000 }, () => {
    let server: TestRedis;
    let port: number;
    let ca: string;

    before(async () => {
        const folder = temporaryFolder();
        const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];

        const made = await generate([{ name: 'commonName', value: 'localhost' }], {
            extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
        });
        writeFileSync(cert, made.cert);
        writeFileSync(key, made.private);
        ca = made.cert;
        port = await freePort();
        const tls = ['--port', '0', '--tls-port', String(port), '--tls-cert-file', cert, '--tls-key-file', key];
        const names = ['--cluster-announce-hostname', 'localhost', '--cluster-preferred-endpoint-type', 'hostname'];
        server = await startCluster([
            ...tls,
            '--tls-ca-cert-file',
            cert,
            '--tls-auth-clients',
            'no',
            '--tls-cluster',
            'yes',
            ...names,
        ]);
    });

    after(() => server.stop());

    it('asks the servers of a cluster by the names that their certificates have', async () => {
        const redis = await connectRedis({ cluster: [{ host: 'localhost', port }], tls: { ca } }, silentLogger);
        await redis.set('k', 'v');
        expect(await redis.get('k')).to.equal('v');
        redis.disconnect();
    });

    it('refuses a server whose certificate nobody trusted has signed', async () => {
        const connecting = connectRedis({ cluster: [{ host: 'localhost', port }], tls: {} }, silentLogger);
        await expect(connecting).to.reject();
    });
});
