import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { createDatastore } from '../../../src/redis/datastore.ts';
import { temporaryFolder } from '../../helpers/folder.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { NOON, openStore, type TestStore } from '../../helpers/store.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const folder = temporaryFolder();

function scriptFile(name: string, ...lines: string[]): URL {
    const file = join(folder, `${name}.lua`);
    writeFileSync(file, lines.join('\n'));
    return pathToFileURL(file);
}

const readTime = () => scriptFile('read-time', '-- The time.', '-- @include now', 'return now()');

describe('createDatastore', () => {
    let server: TestRedis;
    let test: TestStore;

    before(async () => {
        server = await startRedis();
        test = await openStore(server.path);
    });

    after(async () => {
        await test.close();
        await server.stop();
    });

    it('runs a script with its keys and arguments, numbers as decimal strings', async () => {
        const run = test.store.script(scriptFile('echo', 'return { KEYS[1], KEYS[2], ARGV[1], ARGV[2] }'));
        expect(await run(['a', 'b'], ['c', 1.5])).to.equal(['a', 'b', 'c', '1.5']);
        expect(await run([], [])).to.equal([]);
    });

    it('puts includes in place of their lines', async () => {
        const began = Date.now();
        const time = Number(await createDatastore(test.redis).script(readTime())([], []));
        expect(time).to.be.within(began - 1_000, Date.now() + 1_000);
    });

    it('puts several includes in place, and nothing in place of what only looks like one', async () => {
        const includes = { one: 'local one = 1', two: 'local two = 2' };
        const file = scriptFile('sum', '-- @include one', '-- @include two', "return one + two + #'-- @include one'");
        expect(await createDatastore(test.redis, { includes }).script(file)([], [])).to.equal(3 + 15);
    });

    it('lets a test move the clock of the scripts', async () => {
        const run = test.store.script(readTime());
        expect(await run([], [])).to.equal(NOON);
        await test.setTime(NOON + 90_000);
        expect(await run([], [])).to.equal(NOON + 90_000);
    });

    it('refuses a script or an include that does not exist, at once', () => {
        const file = scriptFile('lost', '-- @include nowhere', 'return 1');
        expect(() => test.store.script(file)).to.throw(/nowhere\.lua/);
        expect(() => test.store.script(pathToFileURL(join(folder, 'gone.lua')))).to.throw(/gone\.lua/);
    });

    it('makes a script known again that Redis has forgotten, and does not send its text otherwise', async () => {
        const run = test.store.script(scriptFile('count', "return redis.call('INCR', KEYS[1])"));
        const key = 'test:count';
        const textsSent = async () =>
            /^cmdstat_eval:calls=(\d+)/m.exec(await test.redis.info('commandstats'))?.[1] ?? '0';
        await test.redis.script('FLUSH');
        const sent = Number(await textsSent());
        for (let expected = 1; expected <= 3; expected++) expect(await run([key], [])).to.equal(expected);
        expect(Number(await textsSent()) - sent).to.equal(1);
        await test.redis.script('FLUSH');
        expect(await run([key], [])).to.equal(4);
        expect(Number(await textsSent()) - sent).to.equal(2);
    });

    it('passes on the error of a script, which has not run twice', async () => {
        const key = 'test:fails';
        const run = test.store.script(scriptFile('fails', "redis.call('INCR', KEYS[1])", "return redis.call('NOPE')"));
        await expect(run([key], [])).to.reject(/Unknown Redis command/);
        await expect(run([key], [])).to.reject(/Unknown Redis command/);
        expect(await test.redis.get(key)).to.equal('2');
    });
});
