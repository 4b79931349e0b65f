import { createDecipheriv, createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { canonicalJson } from '../../../../plugins/backups/archive/canonical-json.ts';
import { Keyring } from '../../../../src/security/keyring.ts';
import { Vault } from '../../../../src/security/vault.ts';
import { BACKUP_ID, headerOf, newKey, noise, SAMPLE, streamOf, testArchives } from '../../../helpers/archive.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const sha256 = (content: Buffer | string): Buffer => createHash('sha256').update(content).digest();

function open(key: Buffer, nonce: Buffer, associated: Buffer | string, sealed: Buffer): Buffer {
    const decipher = createDecipheriv('aes-256-gcm', key, nonce);
    decipher.setAAD(Buffer.from(associated)).setAuthTag(sealed.subarray(-16));
    return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
}

/** The lines of an archive: read by the README, with nothing of the program. */
function readByTheBook(file: Buffer, masterKey: Buffer): string[] {
    expect(file.subarray(0, 9)).to.equal(Buffer.from('LLMBKUP\n\u0001'));
    const start = 13 + file.readUInt32BE(9);
    const { tenantId, backupId, key } = JSON.parse(file.subarray(13, start).toString());
    const [version, keyId, token] = key.split('.');
    const sealed = Buffer.from(token, 'base64url');
    const purpose = `${version}.${keyId}.backup archive ${tenantId} ${backupId}`;
    const secret = open(masterKey, sealed.subarray(0, 12), purpose, sealed.subarray(12));
    const [dataKey, prefix] = [0, 32].map((at) => Buffer.from(secret.toString(), 'base64url').subarray(at, at + 32));
    const opened: Buffer[] = [];
    for (let at = start, index = 0; at < file.length; at += 65_552, index++) {
        const place = Buffer.from([index >> 24, index >> 16, index >> 8, index, at + 65_552 >= file.length ? 1 : 0]);
        const nonce = Buffer.concat([prefix ?? place, place]);
        opened.push(open(dataKey ?? secret, nonce, sha256(file.subarray(0, start)), file.subarray(at, at + 65_552)));
    }
    return gunzipSync(Buffer.concat(opened)).toString().split('\n');
}

describe('the format of an archive', () => {
    it('is what its README says', async () => {
        const key = newKey('k7');
        const { archives, tenantId, bytes } = testArchives(new Vault(new Keyring([key])));
        const aggregates = [...SAMPLE, ...noise(5, 50_000)];
        const { contentSha256 } = await archives.write(headerOf(tenantId), streamOf(aggregates));
        const lines = readByTheBook(bytes(), key.secret);
        expect(lines.pop()).to.equal('');
        const [header = '', ...rest] = lines;
        const footer = rest.pop() ?? '';
        expect(JSON.parse(header)).to.equal({ line: 'header', ...headerOf(tenantId, BACKUP_ID) });
        const read: unknown[] = rest.map((line) => JSON.parse(line));
        expect(read).to.equal(aggregates.map((aggregate) => ({ line: 'aggregate', ...aggregate })));
        const linesBefore = [header, ...rest].map((line) => `${line}\n`);
        expect(JSON.parse(footer)).to.equal({
            line: 'footer',
            counts: { thread: 6, user: 2 },
            sha256: sha256(linesBefore.join('')).toString('hex'),
        });
        expect(sha256(linesBefore.slice(1).join('')).toString('hex')).to.equal(contentSha256);
    });
});

describe('canonicalJson', () => {
    it('orders keys by their UTF-16 units, at every depth, and leaves lists as they are', () => {
        const value = {
            b: [3, 1, { z: null, a: true }],
            '\u{1F99C}': 1,
            '\uFFFD': 2,
            10: 'x',
            9: 'y',
            a: { d: 'é', c: 0 },
        };
        const expected =
            '{"10":"x","9":"y","a":{"c":0,"d":"é"},"b":[3,1,{"a":true,"z":null}],"\u{1F99C}":1,"\uFFFD":2}';
        expect(canonicalJson(value)).to.equal(expected);
        expect(JSON.parse(canonicalJson(value))).to.equal(value);
    });

    it('leaves out what is undefined, as JSON does', () => {
        expect(canonicalJson({ a: undefined, b: 1 })).to.equal('{"b":1}');
    });
});
