import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, posix } from 'node:path';

import { buildContext } from './build-context.ts';
import { pairsOf, readDockerfile, stagesOf, type Instruction, type Stage } from './dockerfile.ts';
import { folderForManyFiles } from './folder.ts';
import { ended, launchIn, makeRoot } from './sandbox.ts';
import { packageRoot } from '../../src/package-root.ts';

/** What a container engine would make of the Dockerfile. */
export interface Image {
    /** Its tree, with this machine's programs in place of those of a base image. */
    root: string;
    env: Record<string, string>;
    cwd: string;
    user: string;
    labels: Record<string, string>;
    volumes: string[];
    stopSignal: string;
    command: string[];
    healthcheck: string[];
}

interface Building extends Image {
    entrypoint: string[];
    /** The values of ARG, which are gone in the image. */
    args: Record<string, string>;
    given: Record<string, string>;
    stages: Map<string, Building>;
    /** Folders of this machine that its commands see, by where. */
    readable: Record<string, string>;
}

/** How npm is set up here: where packages are from, and those that it has fetched before. */
function npmHere(): { cache: string; env: Record<string, string> } {
    const list = execFileSync('npm', ['config', 'list', '--json'], { encoding: 'utf8' });
    const { cache, registry } = JSON.parse(list) as { cache: string; registry: string };
    mkdirSync(cache, { recursive: true });
    const passed = Object.entries(process.env).filter(([name]) =>
        /^(?:https?_proxy|no_proxy|node_extra_ca_certs)$/i.test(name),
    );
    const env = { npm_config_registry: registry, npm_config_prefer_offline: 'true' };
    return { cache, env: { ...(Object.fromEntries(passed) as Record<string, string>), ...env } };
}

const expand = (text: string, { args, env }: Building): string =>
    text.replaceAll(/\$\{(\w+)\}/g, (_all, name: string) => env[name] ?? args[name] ?? '');

const expandPairs = (text: string, building: Building): Record<string, string> =>
    Object.fromEntries(pairsOf(text).map(([name, value]) => [name, expand(value, building)]));

/** Copies files and the contents of folders, with their modes, as root's. */
function copyInto(building: Building, { text, flags }: Instruction): void {
    const words = text.split(/\s+/);
    const target = words.pop() ?? '';
    const place = posix.resolve(building.cwd, target);
    const from = flags.from === undefined ? packageRoot() : (building.stages.get(flags.from)?.root ?? '');
    if (from === '' || text.includes('*')) throw new Error(`This builder cannot do COPY ${text}`);
    for (const source of words) {
        const isFolder = statSync(join(from, source)).isDirectory();
        const intoFolder = target.endsWith('/');
        const to = join(building.root, place, intoFolder && !isFolder ? basename(source) : '');
        mkdirSync(isFolder ? to : dirname(to), { recursive: true });
        if (flags.from === undefined) copyContext(source, to);
        else execFileSync('cp', ['-a', '-T', join(from, source), to]);
    }
}

/** Of this folder only what .dockerignore lets through. */
function copyContext(source: string, to: string): void {
    const files = buildContext().filter((path) => path === source || path.startsWith(`${source}/`));
    if (files.length === 0) throw new Error(`.dockerignore keeps ${source} from the build`);
    for (const path of files) {
        const place = join(to, path.slice(source.length));
        mkdirSync(dirname(place), { recursive: true });
        cpSync(join(packageRoot(), path), place);
    }
}

/** The command of setup.sh too. */
const INSTALL = 'npm ci --ignore-scripts';

/** Whether that has been run here, for the same packages. */
function isInstalledHere(): boolean {
    const installed = join(packageRoot(), 'node_modules/.installed-package-lock.json');
    return (
        existsSync(installed) && readFileSync(installed).equals(readFileSync(join(packageRoot(), 'package-lock.json')))
    );
}

async function runShell({ root, cwd, env, args, readable }: Building, command: string): Promise<void> {
    if (command === INSTALL && isInstalledHere()) {
        const packages = join(cwd, 'node_modules');
        mkdirSync(join(root, packages), { recursive: true });
        readable[packages] = join(packageRoot(), 'node_modules');
        return;
    }
    const npm = npmHere();
    mkdirSync(join(root, 'root/.npm'), { recursive: true });
    const child = launchIn(
        {
            root,
            cwd,
            env: { HOME: '/root', ...npm.env, ...args, ...env },
            binds: { '/root/.npm': npm.cache },
            readable,
        },
        ['sh', '-c', command],
    );
    const { code, stdout, stderr } = await ended(child);
    if (code !== 0) throw new Error(`RUN ${command} ended with ${code}\n${stdout}${stderr}`);
}

/** What we use of Dockerfiles; anything else is refused. */
const STEPS: Record<string, (building: Building, instruction: Instruction) => void | Promise<void>> = {
    ARG: (building, { text }) => {
        const [name = '', preset = ''] = text.replaceAll('"', '').split('=');
        building.args[name] = building.given[name] ?? preset;
    },
    ENV: (building, { text }) => void Object.assign(building.env, expandPairs(text, building)),
    LABEL: (building, { text }) => void Object.assign(building.labels, expandPairs(text, building)),
    WORKDIR: (building, { text }) => {
        building.cwd = text;
        mkdirSync(join(building.root, text), { recursive: true });
    },
    COPY: copyInto,
    RUN: (building, { text }) => runShell(building, text),
    USER: (building, { text }) => void (building.user = text),
    VOLUME: (building, { text }) => void building.volumes.push(text),
    EXPOSE: () => undefined,
    STOPSIGNAL: (building, { text }) => void (building.stopSignal = text),
    HEALTHCHECK: (building, { exec }) => void (building.healthcheck = exec),
    ENTRYPOINT: (building, { exec }) => void (building.entrypoint = exec),
    CMD: (building, { exec }) => void (building.command = exec),
};

async function buildStage(stage: Stage, given: Record<string, string>, stages: Map<string, Building>) {
    if (stage.base !== '${BASE}') throw new Error(`This builder has no image ${stage.base}`);
    const root = folderForManyFiles();
    makeRoot(root);
    const building: Building = {
        root,
        given,
        stages,
        readable: {},
        cwd: '/',
        user: 'root',
        stopSignal: 'SIGTERM',
        env: {},
        args: {},
        labels: {},
        volumes: [],
        entrypoint: [],
        command: [],
        healthcheck: [],
    };
    for (const instruction of stage.instructions) {
        const step = STEPS[instruction.name];
        if (step === undefined) throw new Error(`This builder does not know ${instruction.name}`);
        await step(building, instruction);
    }
    return building;
}

/** Carries the Dockerfile out, stage by stage, each in a clean folder; those that need none before them at once. */
export async function buildImage(given: Record<string, string>): Promise<Image> {
    const stages = new Map<string, Building>();
    const all = stagesOf(readDockerfile());
    const last = all.pop();
    if (last === undefined) throw new Error('The Dockerfile has no stage');
    await Promise.all(all.map(async (stage) => stages.set(stage.name, await buildStage(stage, given, stages))));
    const { entrypoint, command, ...image } = await buildStage(last, given, stages);
    return { ...image, command: [...entrypoint, ...command] };
}
