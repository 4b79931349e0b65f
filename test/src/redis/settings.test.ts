import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { loadConfig } from '../../../src/config.ts';
import { faultsOf, KEYS } from '../../helpers/config.ts';

export const lab = Lab.script();
const { describe, it } = lab;

describe('redisSettings', () => {
    it('takes sentinels and nodes of a cluster, of one kind only', () => {
        const servers = 'redis-0.redis:6379, 10.0.0.7:7001,[::1]:26379';
        const found = [
            { host: 'redis-0.redis', port: 6379 },
            { host: '10.0.0.7', port: 7001 },
            { host: '::1', port: 26_379 },
        ];
        expect(loadConfig({ ...KEYS, ROLE: 'api', REDIS_SENTINELS: servers }).REDIS_SENTINELS).to.equal(found);
        expect(loadConfig({ ...KEYS, ROLE: 'api', REDIS_CLUSTER: servers }).REDIS_CLUSTER).to.equal(found);
        for (const wrong of ['redis', 'redis:0', 'redis:70000', 'redis:6379,:1', 'redis://a:1', ',']) {
            expect(faultsOf({ REDIS_CLUSTER: wrong }), wrong).to.equal([
                'REDIS_CLUSTER needs the form host:port,host:port',
            ]);
        }
        expect(faultsOf({ REDIS_URL: 'redis://127.0.0.1', REDIS_SENTINELS: servers })).to.equal([
            'Only one of REDIS_URL and REDIS_SENTINELS may be given: they name different servers',
        ]);
    });

    it('does not speak without TLS to a URL where TLS was asked for', () => {
        expect(faultsOf({ REDIS_URL: 'redis://127.0.0.1', REDIS_TLS: 'true' })).to.equal([
            'REDIS_URL must begin with rediss:// where REDIS_TLS is true: of a URL the scheme says it',
        ]);
        expect(faultsOf({ REDIS_URL: 'rediss://127.0.0.1', REDIS_TLS: 'true' })).to.be.empty();
        expect(faultsOf({ REDIS_CLUSTER: '127.0.0.1:7000', REDIS_TLS: 'true' })).to.be.empty();
    });

    it('has no replicas to wait for beside a Redis of its own', () => {
        expect(faultsOf({ REDIS_WAIT_REPLICAS: '1' })).to.equal([
            'REDIS_WAIT_REPLICAS must be 0 with an embedded Redis: it has no replicas',
        ]);
        expect(faultsOf({ REDIS_WAIT_REPLICAS: '1', REDIS_URL: 'redis://127.0.0.1' })).to.be.empty();
    });
});
