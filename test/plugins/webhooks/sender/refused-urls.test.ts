import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { isApiError } from '../../../../src/http/errors.ts';
import {
    answersInTurn,
    destinationOf,
    listenWith,
    testEvent,
    testSender,
    type TestPort,
} from '../../../helpers/hook-sender.ts';

import type { UrlRefusal } from '../../../../plugins/webhooks/sender/safe-url.ts';
import type { WebhookSender } from '../../../../plugins/webhooks/sender/types.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const PUBLIC = '8.8.8.8';

const REFUSED: Partial<Record<UrlRefusal, string[]>> = {
    address: [
        // As they are.
        'https://127.0.0.1/hook',
        'https://10.1.2.3/hook',
        'https://172.20.0.1/hook',
        'https://192.168.1.1/hook',
        'https://100.64.0.1/hook',
        'https://169.254.169.254/latest/meta-data/',
        'https://168.63.129.16/machine',
        'https://100.100.100.200/latest/meta-data/',
        'https://0.0.0.0/hook',
        'https://255.255.255.255/hook',
        'https://224.0.0.1/hook',
        'https://192.0.2.1/hook',
        'https://198.18.0.1/hook',
        // Decimal, octal, hexadecimal and short.
        'https://2130706433/hook',
        'https://2852039166/latest/meta-data/',
        'https://3232235777/hook',
        'https://0177.0.0.1/hook',
        'https://017700000001/hook',
        'https://0251.0376.0251.0376/hook',
        'https://0x7f000001/hook',
        'https://0x7f.0x0.0x0.0x1/hook',
        'https://0xa9fea9fe/latest/meta-data/',
        'https://0xA9.0xFE.43518/hook',
        'https://127.1/hook',
        'https://127.0.1/hook',
        'https://10.1/hook',
        'https://192.168.257/hook',
        'https://0/hook',
        'https://0177.1/hook',
        // Written otherwise.
        'https://127.0.0.1./hook',
        'https://2130706433./hook',
        'https://127。0。0。1/hook',
        'https://１２７.０.０.１/hook',
        'https://①②⑦.⓪.⓪.①/hook',
        'https://%31%32%37.0.0.1/hook',
        'https:127.0.0.1/hook',
        'https:////127.0.0.1/hook',
        // IPv6, and what stands for an IPv4 address.
        'https://[::]/hook',
        'https://[::1]/hook',
        'https://[0:0:0:0:0:0:0:1]/hook',
        'https://[::127.0.0.1]/hook',
        'https://[::ffff:127.0.0.1]/hook',
        'https://[::ffff:7f00:1]/hook',
        'https://[::ffff:a9fe:a9fe]/latest/meta-data/',
        'https://[::ffff:0:7f00:1]/hook',
        'https://[64:ff9b::7f00:1]/hook',
        'https://[64:ff9b::169.254.169.254]/hook',
        'https://[64:ff9b:1::a00:1]/hook',
        'https://[2002:7f00:1::]/hook',
        'https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/hook',
        'https://[fe80::1]/hook',
        'https://[fc00::1]/hook',
        'https://[fd00:ec2::254]/latest/meta-data/',
        'https://[fec0::1]/hook',
        'https://[ff02::1]/hook',
        'https://[100::1]/hook',
        'https://[2001:db8::1]/hook',
    ],
    host: [
        'https://localhost/hook',
        'https://LOCALHOST/hook',
        'https://localhost./hook',
        'https://ｌｏｃａｌｈｏｓｔ/hook',
        'https://loc%61lhost/hook',
        'https://redis:8080/hook',
        'https://kubernetes/hook',
        'https://app.localhost/hook',
        'https://printer.local/hook',
        'https://api.default.svc.cluster.local/hook',
        'https://metadata.google.internal/computeMetadata/v1/',
        'https://router.lan/hook',
        'https://nas.home.arpa/hook',
        'https://wiki.corp/hook',
        'https://box.localdomain/hook',
        'https://hooks.example.com./hook',
        'https://hooks..example.com/hook',
        'https://-hooks.example.com/hook',
        `https://${'a'.repeat(64)}.example.com/hook`,
        `https://${'a.'.repeat(130)}example.com/hook`,
    ],
    scheme: [
        'http://hooks.example.com/hook',
        'ftp://hooks.example.com/hook',
        'file:///etc/passwd',
        'gopher://hooks.example.com:6379/_FLUSHALL',
        'javascript:alert(1)',
        'data:text/plain,hook',
        'wss://hooks.example.com/hook',
        'blob:https://hooks.example.com/hook',
    ],
    credentials: [
        'https://user:password@hooks.example.com/hook',
        'https://user@hooks.example.com/hook',
        'https://hooks.example.com@127.0.0.1/hook',
        'https://hooks.example.com%40evil@127.0.0.1/hook',
        'https://:password@hooks.example.com/hook',
    ],
    fragment: [
        'https://hooks.example.com/hook#part',
        'https://hooks.example.com/#',
        'https://hooks.example.com#@127.0.0.1/',
    ],
    port: [
        'https://hooks.example.com:0/hook',
        'https://hooks.example.com:22/hook',
        'https://hooks.example.com:25/hook',
        'https://hooks.example.com:80/hook',
        'https://hooks.example.com:444/hook',
        'https://hooks.example.com:1023/hook',
        'https://hooks.example.com:2375/hook',
        'https://hooks.example.com:5432/hook',
        'https://hooks.example.com:6379/hook',
        'https://hooks.example.com:10250/hook',
        'https://hooks.example.com:11211/hook',
        'https://hooks.example.com:27017/hook',
    ],
    too_long: [`https://hooks.example.com/${'a'.repeat(2_023)}`, `https://hooks.example.com/${'ü'.repeat(400)}`],
    malformed: [
        '',
        'hooks.example.com/hook',
        '//hooks.example.com/hook',
        '/hook',
        'https://',
        'https:///',
        'https://hooks.example.com:65536/hook',
        'https://hooks.example.com:x/hook',
        'https://256.256.256.256/hook',
        'https://1.2.3.4.5/hook',
        'https://[::1/hook',
        'https://[fe80::1%25eth0]/hook',
        'https://hooks.example.com/a b',
        ' https://hooks.example.com/hook',
        'https://hooks.example.com/hook\n',
        'https://hooks.exa\tmple.com/hook',
        'https://hooks.example.com/\u0000',
        'https://hooks.example.com\\@127.0.0.1/hook',
        'https:\\\\127.0.0.1\\hook',
        'https://<hooks>.example.com/hook',
    ],
};

const LET_THROUGH = [
    'https://hooks.example.com/hook',
    'https://hooks.example.com',
    'https://HOOKS.Example.COM/hook?token=a%20b&c=d',
    'https://hooks.example.com:443/hook',
    'https://hooks.example.com:1024/hook',
    'https://hooks.example.com:8443/hook',
    'https://hooks.example.com:65535/hook',
    'https://8.8.8.8/hook',
    'https://[2606:4700:4700::1111]:8443/hook',
    'https://bücher.example.com/hook',
    'https://xn--bcher-kva.example.com/hook',
    'https://_hooks.my_app.example.com/hook',
    'https://local.example.com/hook',
    'https://localhost.example.com/hook',
    'https://hooks.example.com/user@host',
    `https://hooks.example.com/${'a'.repeat(2_022)}`,
];

async function reasonOf(sender: WebhookSender, url: string): Promise<unknown> {
    try {
        await sender.check(url);
        return null;
    } catch (error) {
        if (!isApiError(error, 'WEBHOOK_URL_REFUSED')) throw error;
        return error.data?.details?.reason;
    }
}

describe('WebhookSender.check', () => {
    const sender = testSender({ resolver: answersInTurn([PUBLIC]).resolver });

    for (const [reason, urls] of Object.entries(REFUSED)) {
        it(`refuses ${urls.length} URLs by their ${reason.replace('_', ' ')}`, async () => {
            for (const url of urls) expect(await reasonOf(sender, url), url).to.equal(reason);
        });
    }

    it('lets URLs of public hosts through', async () => {
        for (const url of LET_THROUGH) expect(await reasonOf(sender, url), url).to.be.null();
    });

    it('refuses a name that leads to an address which is refused', async () => {
        const url = 'https://hooks.example.com/hook';
        for (const address of [
            '127.0.0.1',
            '10.0.0.1',
            '169.254.169.254',
            '::1',
            '::ffff:10.0.0.1',
            '64:ff9b::a00:1',
            'x',
        ]) {
            const { resolver } = answersInTurn([address]);
            expect(await reasonOf(testSender({ resolver }), url), address).to.equal('address');
        }
    });

    it('refuses a name of which one address is refused', async () => {
        const mixed = [
            [PUBLIC, '10.0.0.1'],
            ['10.0.0.1', PUBLIC],
            [PUBLIC, '2606:4700:4700::1111', '::1'],
            ['fd00::1', PUBLIC],
        ];
        for (const addresses of mixed) {
            const { resolver } = answersInTurn(addresses);
            expect(await reasonOf(testSender({ resolver }), 'https://hooks.example.com/'), addresses.join()).to.equal(
                'address',
            );
        }
    });

    it('refuses a name that does not resolve', async () => {
        const none = testSender({ resolver: answersInTurn([]).resolver });
        const fails = testSender({ resolver: () => Promise.reject(new Error('ESERVFAIL')) });
        const hangs = testSender({ resolver: () => new Promise(() => undefined), timeouts: { resolveMs: 20 } });
        for (const one of [none, fails, hangs]) {
            expect(await reasonOf(one, 'https://hooks.example.com/')).to.equal('unresolved');
        }
    });

    it('resolves no address', async () => {
        const { resolver, asked } = answersInTurn([PUBLIC]);
        expect(await reasonOf(testSender({ resolver }), 'https://8.8.8.8/')).to.be.null();
        expect(asked()).to.equal(0);
    });

    describe('with private addresses allowed', () => {
        const local = testSender({ allowPrivate: true, resolver: answersInTurn(['127.0.0.1']).resolver });

        it('lets them, plain HTTP and local names through', async () => {
            const urls = [
                'http://127.0.0.1/',
                'http://localhost:3000/',
                'https://[::1]:8443/',
                'http://redis.local:8080/',
            ];
            for (const url of urls) expect(await reasonOf(local, url), url).to.be.null();
        });

        it('refuses metadata addresses, translated ones, credentials and ports of other services', async () => {
            expect(await reasonOf(local, 'http://169.254.169.254/')).to.equal('address');
            expect(await reasonOf(local, 'http://0xa9fea9fe/')).to.equal('address');
            expect(await reasonOf(local, 'http://[fd00:ec2::254]/')).to.equal('address');
            expect(await reasonOf(local, 'http://[::ffff:169.254.169.254]/')).to.equal('address');
            expect(await reasonOf(local, 'http://user@localhost/')).to.equal('credentials');
            expect(await reasonOf(local, 'http://localhost:6379/')).to.equal('port');
            const { resolver } = answersInTurn(['169.254.169.254']);
            const metadata = testSender({ allowPrivate: true, resolver });
            expect(await reasonOf(metadata, 'http://metadata.google.internal/')).to.equal('address');
        });
    });
});

describe('WebhookSender.send', () => {
    let inside: TestPort;

    before(async () => {
        inside = await listenWith((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n'));
    });

    after(() => inside.stop());

    const send = (sender: WebhookSender, url: string) => sender.send(destinationOf(url), testEvent());

    it('connects to none of the refused URLs', async () => {
        const sender = testSender({ resolver: answersInTurn(['127.0.0.1']).resolver });
        const urls = Object.values(REFUSED).flat();
        expect(urls.length).to.be.above(60);
        for (const url of [...urls, `https://127.0.0.1:${inside.port}/`, `http://127.0.0.1:${inside.port}/`]) {
            const attempt = await send(sender, url);
            expect(attempt, url).to.include({ outcome: 'failed', failure: 'address_refused', status: null });
        }
        expect(inside.connections()).to.equal(0);
    });

    it('connects to no name that has come to mean a private address', async () => {
        const { resolver } = answersInTurn([PUBLIC], ['127.0.0.1']);
        const sender = testSender({ resolver });
        const url = `https://hooks.example.com:${inside.port}/`;
        expect(await reasonOf(sender, url)).to.be.null();
        expect(await send(sender, url)).to.include({ outcome: 'failed', failure: 'address_refused', status: null });
        expect(inside.connections()).to.equal(0);
    });

    it('connects to no name that means a private address as well', async () => {
        for (const addresses of [
            ['127.0.0.1', PUBLIC],
            [PUBLIC, '127.0.0.1'],
        ]) {
            const sender = testSender({ resolver: answersInTurn(addresses).resolver });
            const attempt = await send(sender, `https://hooks.example.com:${inside.port}/`);
            expect(attempt.failure).to.equal('address_refused');
        }
        expect(inside.connections()).to.equal(0);
    });
});
