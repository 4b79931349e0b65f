import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { packageRoot } from '../../src/package-root.ts';
import { composeFile, interpolated, makeSecrets, startComposeRedis, type ComposeRedis } from '../helpers/compose.ts';
import { freePort } from '../helpers/free-ports.ts';
import { buildImage, type Image } from '../helpers/image.ts';
import { newClient, get, post } from '../helpers/program.ts';
import { ended, firstProcess, launchIn, whyNoSandbox, type Ran } from '../helpers/sandbox.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const MAX_MB = 80;
const BUILD = { BUILD_COMMIT: '0123456789abcdef0123456789abcdef01234567', BUILD_TIME: '2026-01-02T03:04:05Z' };

const why = whyNoSandbox();
if (why !== '') console.log(`The image is not built in tests here: ${why}.`);

/** The manifest of the project, and those of what is installed. */
const manifest = (path: string) =>
    JSON.parse(readFileSync(path, 'utf8')) as Record<'dependencies' | 'devDependencies', Record<string, string>>;

interface Container {
    pid: number;
    url: string;
    /** Runs another program in the same place. */
    exec: (command: string[]) => Promise<Ran>;
    stop: () => Promise<Ran>;
}

describe('the image', { skip: why !== '', timeout: 300_000 }, () => {
    let image: Image;
    let api: Container;
    let redis: ComposeRedis;
    const secrets = makeSecrets();
    const { services } = interpolated(composeFile(), secrets);

    before(async () => {
        if (why !== '') return;
        [image, redis] = await Promise.all([buildImage(BUILD), startComposeRedis(secrets)]);
        api = await start('api');
    });

    after(() => redis?.stop());

    const sandbox = (env: Record<string, string>) => ({
        root: image.root,
        cwd: image.cwd,
        uid: Number(image.user.split(':')[0]),
        writable: ['/tmp', ...image.volumes],
        env: { ...image.env, ...env },
    });

    /** Starts it with the settings of compose.yaml, but for where Redis and the ports are on this machine. */
    const start = async (service: 'api' | 'worker'): Promise<Container> => {
        const port = String(await freePort());
        const place = { HOST: '127.0.0.1', REDIS_URL: redis.url };
        const busy = { MAX_EVENT_LOOP_DELAY_MS: '60000', MAX_RSS_MB: '65536', BCRYPT_COST: '10' };
        const ports = service === 'api' ? { PORT: port } : { METRICS_PORT: port };
        const env = { ...services[service].environment, ...place, ...busy, ...ports };
        const child = launchIn(sandbox(env), image.command);
        const end = ended(child);
        const url = `http://127.0.0.1:${port}`;
        while ((await fetch(`${url}/health/ready`).catch(() => null))?.status !== 200) {
            if (child.exitCode !== null) throw new Error(JSON.stringify(await end));
            await sleep(50);
        }
        const pid = firstProcess(child);
        return {
            pid,
            url,
            exec: (command) => ended(launchIn(sandbox(env), command)),
            stop: () => {
                process.kill(pid, image.stopSignal as NodeJS.Signals);
                return end;
            },
        };
    };

    const filesOf = (folder: string): string[] =>
        readdirSync(join(image.root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name));

    it('runs as the user 1001, with no privileges, as the first process of its container', () => {
        const status = readFileSync(`/proc/${api.pid}/status`, 'utf8');
        const valuesOf = (name: string) => new RegExp(`^${name}:\\t(.*)$`, 'm').exec(status)?.[1]?.split('\t');
        expect(new Set([...(valuesOf('Uid') ?? []), ...(valuesOf('Gid') ?? [])])).to.equal(new Set(['1001']));
        for (const name of ['CapEff', 'CapPrm', 'CapBnd']) expect(valuesOf(name)).to.equal(['0000000000000000']);
        expect(valuesOf('NoNewPrivs')).to.equal(['1']);
        // With a shell before it, that one would have the signals.
        expect(valuesOf('NSpid')?.at(-1)).to.equal('1');
    });

    it('logs users in, and knows what it was built from', async () => {
        const { token } = await newClient(api.url, 'image.example');
        const credentials = { username: 'ada@image.example', password: 'correct horse battery staple' };
        expect((await post(`${api.url}/api/login`, credentials)).success).to.be.true();
        const { body } = await get(`${api.url}/api/version`, token);
        expect(JSON.stringify(body.data)).to.contain([BUILD.BUILD_COMMIT, '2026-01-02T03:04:05']);
    });

    it('says that a worker without a port for it cannot be asked for its health', async () => {
        const { code, stderr } = await ended(launchIn(sandbox({ ROLE: 'worker' }), image.healthcheck));
        expect([code, stderr]).to.equal([1, 'A worker can be asked only where METRICS_PORT is given\n']);
    });

    it('runs the commands of operators beside the program', async () => {
        const { code, stdout, stderr } = await api.exec(['node', 'dist/scripts/admin.js', 'config', 'get', '--json']);
        expect([code, stderr]).to.equal([0, '']);
        expect(JSON.parse(stdout)).to.be.an.object();
    });

    it('has each page that Swagger UI asks for', async () => {
        const page = await (await fetch(`${api.url}/documentation`)).text();
        const assets = [...page.matchAll(/(?:src|href)=['"]([^'"#]+\.(?:js|css|png))['"]/g)].map(
            ([, path = '']) => path,
        );
        expect(assets.length).to.be.above(2);
        const statuses = await Promise.all(
            assets.map(async (path) => (await fetch(new URL(path, `${api.url}/`))).status),
        );
        expect(new Set(statuses)).to.equal(new Set([200]));
    });

    it('can load each of its modules, and each package that the project names', async () => {
        const entryPoints =
            /^\/app\/dist\/(?:scripts\/|src\/main\.js|plugins\/tunnels\/agent\/main\.js|plugins\/console\/assets\/)/;
        const modules = filesOf('/app/dist').filter((path) => path.endsWith('.js') && !entryPoints.test(path));
        expect(modules.length).to.be.above(500);
        const packages = Object.keys(manifest(join(packageRoot(), 'package.json')).dependencies);
        const script = 'for (const name of JSON.parse(process.argv[1])) await import(name); process.exit(0);';
        const names = JSON.stringify([...modules, ...packages]);
        const command = ['node', '--input-type=module', '-e', script, names];
        const { code, stderr } = await ended(launchIn(sandbox({}), command));
        expect([code, stderr]).to.equal([0, '']);
    });

    it('cannot change itself, and can write its data', async () => {
        const script = `for (const path of ['/app/x', '/app/dist/src/x', '/etc/x', '/data/x', '/tmp/x']) {
            try { fs.writeFileSync(path, ''); console.log('written'); } catch ({ code }) { console.log(code); } }`;
        const written = async (uid: number, writable: string[]) =>
            (await ended(launchIn({ ...sandbox({}), uid, writable }, ['node', '-e', script]))).stdout
                .trim()
                .split('\n');
        const readOnly = ['EROFS', 'EROFS', 'EROFS', 'written', 'written'];
        expect(await written(1001, ['/tmp', '/data'])).to.equal(readOnly);
        // Also where whoever runs it leaves out that the tree is read-only.
        const own = filesOf('/app')
            .concat('/app')
            .filter((path) => {
                const stats = lstatSync(join(image.root, path));
                return stats.uid !== 0 || (!stats.isSymbolicLink() && (stats.mode & 0o002) !== 0);
            });
        expect(own).to.equal([]);
    });

    it('has no tests, no sources and no packages for development', () => {
        const files = filesOf('/app');
        expect(files.length).to.be.above(1_000);
        expect(
            files.filter((path) => /\.(?:test\.js|map|ts)$/.test(path) || path.startsWith('/app/dist/test')),
        ).to.equal([]);
        const { dependencies, devDependencies } = manifest(join(packageRoot(), 'package.json'));
        const isThere = (name: string) => existsSync(join(image.root, '/app/node_modules', name));
        expect(Object.keys(devDependencies).filter(isThere)).to.equal([]);
        expect(Object.keys(dependencies).filter((name) => !isThere(name))).to.equal([]);
    });

    it(`takes at most ${MAX_MB} MB on top of its base`, () => {
        const kilobytes = Number(
            execFileSync('du', ['-sk', join(image.root, 'app')], { encoding: 'utf8' }).split('\t')[0],
        );
        expect(kilobytes / 1024).to.be.between(20, MAX_MB);
    });

    it('says in its labels what it was built from', () => {
        expect(image.labels).to.equal({
            'org.opencontainers.image.title': 'llm-api-layer',
            'org.opencontainers.image.description': 'Multi-tenant backend for LLM applications',
            'org.opencontainers.image.revision': BUILD.BUILD_COMMIT,
            'org.opencontainers.image.created': BUILD.BUILD_TIME,
        });
    });

    it('ends with 0 when it is told to stop, which the command for its health sees', async () => {
        const worker = await start('worker');
        for (const container of [api, worker]) {
            const alive = await container.exec(image.healthcheck);
            expect([alive.code, alive.stderr]).to.equal([0, '']);
            const { code, stderr } = await container.stop();
            expect([code, stderr]).to.equal([0, '']);
            const gone = await container.exec(image.healthcheck);
            expect(gone.code).to.equal(1);
            expect(gone.stderr).to.contain('ECONNREFUSED');
        }
    });
});
