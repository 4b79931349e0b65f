import { once } from 'node:events';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { generatedSecrets } from '../../../src/security/secrets.ts';
import { temporaryFolder } from '../../helpers/folder.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const STARTS = 6;
const ROUNDS = 40;

/** Waits until all others are as far, then asks for the secrets, in one folder after the other. */
const START = `
const { parentPort, workerData: { module, folders, gate, starts } } = require('node:worker_threads');
const waiting = new Int32Array(gate);
import(module).then(({ generatedSecrets }) => {
    const secrets = folders.map((folder, round) => {
        Atomics.add(waiting, 0, 1);
        while (Atomics.load(waiting, 0) < (round + 1) * starts);
        try {
            return generatedSecrets(folder).VAULT_KEYS;
        } catch (error) {
            return String(error);
        }
    });
    parentPort.postMessage(secrets);
});`;

describe('generatedSecrets', () => {
    it('gives the same secrets at each start and leaves one file, readable by its owner only', () => {
        const folder = temporaryFolder();
        const secrets = generatedSecrets(folder);
        expect(secrets.JWT_KEYS).to.match(/^generated:[\w-]{64}$/);
        expect(secrets.VAULT_KEYS).to.match(/^generated:[\w+/]{43}=$/);
        expect(generatedSecrets(folder)).to.equal(secrets);
        expect(generatedSecrets(temporaryFolder())).to.not.equal(secrets);
        expect(readdirSync(folder)).to.equal(['secrets.json']);
        expect(statSync(join(folder, 'secrets.json')).mode & 0o777).to.equal(0o600);
    });

    it('gives several that start at once the same secrets', async () => {
        const folders = Array.from({ length: ROUNDS }, temporaryFolder);
        const module = new URL('../../../src/security/secrets.js', import.meta.url).href;
        const gate = new SharedArrayBuffer(4);
        const workerData = { module, folders, gate, starts: STARTS };
        const workers = Array.from({ length: STARTS }, () => new Worker(START, { eval: true, workerData }));
        const answers = await Promise.all(
            workers.map(async (worker) => (await once(worker, 'message'))[0] as string[]),
        );
        const byRound = folders.map((_, round) => new Set(answers.map((secrets) => secrets[round])));
        expect(byRound.filter(({ size }) => size !== 1)).to.equal([]);
    });

    it('says so when the file cannot be written', () => {
        const folder = temporaryFolder();
        mkdirSync(join(folder, 'secrets.json'));
        expect(() => generatedSecrets(folder)).to.throw(/EISDIR/);
    });
});
