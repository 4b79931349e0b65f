import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { readOptions, UsageError } from '../../../../plugins/tunnels/agent/options.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const TUNNEL = '01K9ZQ4V7N8M3T5R2W6X1Y0ABC';
const token = `tun_01K9ZQ4V7N8M3T5R2W6X1Y0AAA${TUNNEL}_secret`;
const given = ['--url', 'https://api.example.com/base', '--token', token, '--target', 'http://localhost:11434'];

describe('readOptions', () => {
    it('reads what is needed, and the tunnel from the token', () => {
        const options = readOptions(given, {});
        expect(options).to.include({ token, isOnce: false });
        expect((options as { tunnelId: string }).tunnelId).to.equal(`tun_${TUNNEL}`);
        expect((options as { url: URL }).url.href).to.equal('https://api.example.com/base');
        const [target] = (options as { targets: object[] }).targets;
        expect(target).to.include({ priority: 1, weight: 1 });
    });

    it('reads several targets with priority and weight', () => {
        const more = ['--target', 'http://b:1/x,priority=2,weight=30', '--once'];
        const options = readOptions([...given, ...more], {}) as { targets: { weight: number; priority: number }[] };
        expect(options).to.include({ isOnce: true });
        expect(options.targets.map(({ priority, weight }) => [priority, weight])).to.equal([
            [1, 1],
            [2, 30],
        ]);
    });

    it('takes the token from the environment too', () => {
        const args = given.filter((arg) => arg !== '--token' && arg !== token);
        expect(readOptions(args, { LLM_TUNNEL_TOKEN: token })).to.include({ token });
        expect(() => readOptions(args, {})).to.throw(UsageError, /LLM_TUNNEL_TOKEN/);
    });

    it('needs no target when it follows the endpoints of the tunnel', () => {
        const args = given.slice(0, -2);
        expect(readOptions([...args, '--managed'], {})).to.include({ isManaged: true, targets: [] });
        expect(readOptions(given, {})).to.include({ isManaged: false });
    });

    it('gives help', () => {
        expect(readOptions(['--help'], {})).to.equal('help');
    });

    it('says what is wrong', () => {
        const without = (name: string) => given.toSpliced(given.indexOf(name), 2);
        const withTarget = (target: string) => [...without('--target'), '--target', target];
        const wrong: [string[], RegExp][] = [
            [without('--url'), /--url is missing/],
            [without('--target'), /--target is missing/],
            [[...given, '--verbose'], /--verbose/],
            [[...given, 'more'], /more/],
            [[...without('--url'), '--url', 'api.example.com'], /not a URL/],
            [[...without('--token'), '--token', 'lal_x'], /begin with tun_/],
            [withTarget('ftp://host'), /not a URL/],
            [withTarget('http://user:pw@host'), /without user/],
            [withTarget('http://:pw@host'), /without user/],
            [withTarget('http://host?x=1'), /query/],
            [withTarget('http://host,priority=0'), /priority=0/],
            [withTarget('http://host,speed=9'), /speed=9/],
            [[...given, '--target', 'http://localhost:11434/'], /twice/],
        ];
        for (const [args, message] of wrong) expect(() => readOptions(args, {})).to.throw(UsageError, message);
    });
});
