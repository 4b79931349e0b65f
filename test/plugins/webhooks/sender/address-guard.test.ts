import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { refusalOf } from '../../../../plugins/webhooks/sender/address-guard.ts';

export const lab = Lab.script();
const { describe, it } = lab;

/** The first and the last of each range that the internet does not lead to, by the registries of IANA. */
const NOT_PUBLIC = [
    ['0.0.0.0', '0.255.255.255'],
    ['192.0.0.0', '192.0.0.255'],
    ['192.0.2.0', '192.0.2.255'],
    ['192.88.99.0', '192.88.99.255'],
    ['198.18.0.0', '198.19.255.255'],
    ['198.51.100.0', '198.51.100.255'],
    ['203.0.113.0', '203.0.113.255'],
    ['224.0.0.0', '239.255.255.255'],
    ['240.0.0.0', '255.255.255.254', '255.255.255.255'],
    ['::'],
    ['100::', '100::ffff:ffff:ffff:ffff'],
    ['2001:2::1'],
    ['2001:10::1'],
    ['2001:20::1'],
    ['2001:db8::', '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff'],
    ['3fff::1'],
    ['5f00::1'],
    ['fec0::1', 'feff::1'],
    ['ff00::', 'ff02::1', 'ff0e::1'],
    ['4000::1', '8000::1', 'e000::1'],
].flat();

const PRIVATE = [
    ['10.0.0.0', '10.255.255.255'],
    ['100.64.0.0', '100.127.255.255'],
    ['127.0.0.0', '127.0.0.1', '127.255.255.255'],
    ['172.16.0.0', '172.31.255.255'],
    ['192.168.0.0', '192.168.255.255'],
    ['::1', '0:0:0:0:0:0:0:1'],
    ['fc00::', 'fd12:3456::1', 'fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
].flat();

const METADATA = [
    '169.254.0.0',
    '169.254.169.253',
    '169.254.169.254',
    '169.254.170.2',
    '169.254.170.23',
    '169.254.255.255',
    '100.100.100.200',
    '168.63.129.16',
    '192.0.0.192',
    'fd00:ec2::254',
    'fd00:ec2::23',
    'fd20:ce::254',
    'fe80::1',
    'fe80::a9fe:a9fe',
    'febf:ffff::1',
];

/** Of loopback, metadata, private and public addresses. */
const TRANSLATED = [
    ['::7f00:1', '::127.0.0.1', '::8.8.8.8'],
    ['::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:a9fe:a9fe', '0:0:0:0:0:ffff:10.0.0.1', '::ffff:8.8.8.8'],
    ['::ffff:0:127.0.0.1', '::ffff:0:a9fe:a9fe'],
    ['64:ff9b::7f00:1', '64:ff9b::169.254.169.254', '64:ff9b::a00:1', '64:ff9b::8.8.8.8'],
    ['64:ff9b:1::1', '64:ff9b:1:fffe::a9fe:a9fe', '64:ff9b:1:ffff:ffff:ffff:ffff:ffff'],
    ['2001::1', '2001:0:4136:e378:8000:63bf:3fff:fdd2'],
    ['2002:7f00:1::1', '2002:a9fe:a9fe::', '2002:a00:1::1', '2002:808:808::1'],
    ['2606:4700::5efe:7f00:1', '2606:4700::200:5efe:a9fe:a9fe'],
].flat();

const PUBLIC = [
    [
        '1.1.1.1',
        '8.8.8.8',
        '9.255.255.255',
        '11.0.0.0',
        '100.63.255.255',
        '100.128.0.0',
        '126.255.255.255',
        '128.0.0.1',
    ],
    ['168.63.129.15', '168.63.129.17', '169.253.255.255', '169.255.0.0', '172.15.255.255', '172.32.0.0'],
    ['192.0.1.0', '192.167.255.255', '192.169.0.0', '198.17.255.255', '198.20.0.0', '223.255.255.255'],
    ['2001:4860:4860::8888', '2606:4700:4700::1111', '2a00:1450:4001:800::200e', '2003::1'],
].flat();

describe('refusalOf', () => {
    for (const allowPrivate of [false, true]) {
        const where = allowPrivate ? 'with private addresses allowed' : 'in production';

        it(`refuses what is not public ${where}`, () => {
            for (const address of NOT_PUBLIC) expect(refusalOf(address, allowPrivate), address).to.be.a.string();
        });

        it(`refuses metadata and link-local addresses ${where}`, () => {
            for (const address of METADATA) expect(refusalOf(address, allowPrivate), address).to.equal('metadata');
        });

        it(`refuses what stands for an IPv4 address, whichever, ${where}`, () => {
            for (const address of TRANSLATED) expect(refusalOf(address, allowPrivate), address).to.equal('translated');
        });

        it(`lets public addresses through ${where}`, () => {
            for (const address of PUBLIC) expect(refusalOf(address, allowPrivate), address).to.be.null();
        });

        it(`refuses what is not an address in its usual form ${where}`, () => {
            for (const text of [
                '',
                'example.com',
                '127.1',
                '0177.0.0.1',
                '0x7f.0.0.1',
                '2130706433',
                '[::1]',
                '8.8.8.8 ',
            ]) {
                expect(refusalOf(text, allowPrivate), text).to.equal('not_an_address');
            }
        });
    }

    it('refuses private and loopback addresses in production', () => {
        for (const address of PRIVATE) expect(refusalOf(address, false), address).to.equal('not_public');
    });

    it('lets private and loopback addresses through where they are allowed', () => {
        for (const address of PRIVATE) expect(refusalOf(address, true), address).to.be.null();
    });

    it('refuses a link-local address with its interface', () => {
        expect(refusalOf('fe80::1%lo', true)).to.equal('metadata');
    });
});
