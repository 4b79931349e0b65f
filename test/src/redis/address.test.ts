import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { configuredAddress } from '../../../src/redis/address.ts';
import { testConfig } from '../../helpers/app.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const addressOf = (environment: Record<string, string>) => configuredAddress(testConfig(environment));

describe('configuredAddress', () => {
    it('is none for a Redis of our own', () => {
        expect(addressOf({})).to.be.null();
    });

    it('tells a URL, with a password of its own where that is not in it', () => {
        expect(addressOf({ REDIS_URL: 'redis://redis:6379' })).to.equal({ url: 'redis://redis:6379' });
        expect(
            addressOf({ REDIS_URL: 'redis://redis:6379', REDIS_PASSWORD: 'secret', REDIS_USERNAME: 'api' }),
        ).to.equal({
            url: 'redis://redis:6379',
            username: 'api',
            password: 'secret',
        });
    });

    it('tells who knows the master', () => {
        const sentinels = [{ host: 'sentinel-0', port: 26_379 }];
        expect(addressOf({ REDIS_SENTINELS: 'sentinel-0:26379' })).to.equal({ sentinels, name: 'mymaster' });
        const whole = {
            REDIS_SENTINELS: 'sentinel-0:26379',
            REDIS_SENTINEL_NAME: 'store',
            REDIS_SENTINEL_PASSWORD: 'of sentinels',
            REDIS_PASSWORD: 'of servers',
            REDIS_TLS: 'true',
        };
        expect(addressOf(whole)).to.equal({
            sentinels,
            name: 'store',
            sentinelPassword: 'of sentinels',
            password: 'of servers',
            tls: {},
        });
    });

    it('tells nodes of a cluster', () => {
        expect(addressOf({ REDIS_CLUSTER: 'a:1,b:2', REDIS_TLS: 'true' })).to.equal({
            cluster: [
                { host: 'a', port: 1 },
                { host: 'b', port: 2 },
            ],
            tls: {},
        });
    });
});
