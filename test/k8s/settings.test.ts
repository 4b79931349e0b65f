import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { ConfigError, loadConfig, type Config } from '../../src/config.ts';
import { packageRoot } from '../../src/package-root.ts';
import { temporaryFolder } from '../helpers/folder.ts';
import { COMPONENTS, hasKubectl, OVERLAYS, parseManifests, render, renderWith } from '../helpers/kubernetes.ts';
import { environmentOf, newSecrets, POD_ADDRESS } from '../helpers/pod-environment.ts';
import { componentOf, containersOf, mainOf, named, podOf, workloadsOf } from '../helpers/workloads.ts';

import type { Manifest } from '../helpers/kubernetes.ts';
import type { Container, Labels, Workload } from '../helpers/workloads.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const read = (path: string): string => readFileSync(join(packageRoot(), path), 'utf8');
const example = (): Map<string, Labels> =>
    new Map(
        parseManifests(read('k8s/base/common/secret.example.yaml')).map((secret) => [
            secret.metadata.name,
            (secret as Manifest & { stringData: Labels }).stringData,
        ]),
    );

/** The settings that the program has, by the types of what it reads. */
const settings = ['src/config.ts', 'src/redis/settings.ts', 'src/telemetry/settings.ts'].flatMap((file) => {
    const [, body = ''] =
        /^export interface (?:Config|RedisSettings|TelemetrySettings)[^{]*\{(.*?)^\}/ms.exec(read(file)) ?? [];
    return [...body.matchAll(/^ {4}([A-Z][A-Z0-9_]*)\??:/gm)].map(([, name = '']) => name);
});
/** Of the image and of the machine. */
const NOT_OURS = ['VERSION', 'BUILD_COMMIT', 'BUILD_TIME', 'DATA_DIR'];
/** What others read: the SDK of S3. */
const OF_OTHERS = ['AWS_REGION', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'];
/** What must not be in a config map. */
const SECRET = /KEYS?$|SECRET|TOKEN$|PASSWORD|SMTP_URL|DSN|KEYS_SHARED/;

/** What runs our program. */
const ours = (manifests: Manifest[]): Workload[] =>
    workloadsOf(manifests).filter((workload) => componentOf(workload) !== 'redis');

describe('The settings on Kubernetes', { skip: !hasKubectl }, () => {
    const rendered = hasKubectl
        ? [
              ...OVERLAYS.filter((name) => name !== 'monitoring').map((name) => ({ name, manifests: render(name) })),
              ...COMPONENTS.map((name) => ({ name, manifests: renderWith('base', [name]) })),
          ]
        : [];
    const configOf = (manifests: Manifest[], container: Container, values = newSecrets()): Config =>
        loadConfig({ ...environmentOf(manifests, container, values), DATA_DIR: temporaryFolder() });

    it('are taken by the program', () => {
        for (const { manifests, name } of rendered) {
            for (const workload of ours(manifests)) {
                for (const container of containersOf(podOf(workload))) {
                    const config = configOf(manifests, container);
                    expect(config.ROLE, name).to.equal(componentOf(workload) as Config['ROLE']);
                    expect(config.NODE_ENV).to.equal(name.endsWith('development') ? 'development' : 'production');
                }
                expect(configOf(manifests, mainOf(workload)).INTERNAL_HOST, name).to.equal(POD_ADDRESS);
            }
        }
        expect(rendered.length).to.be.above(8);
    });

    it('are all known to the program', () => {
        expect(settings.length).to.be.above(60);
        for (const { manifests, name } of rendered) {
            for (const workload of ours(manifests)) {
                const names = Object.keys(environmentOf(manifests, mainOf(workload), newSecrets()));
                expect(
                    names.filter((one) => !settings.includes(one)),
                    name,
                ).to.equal([]);
            }
        }
    });

    it('are all that the program has', () => {
        const inPods = rendered.flatMap(({ manifests }) =>
            ours(manifests).flatMap((workload) => Object.keys(environmentOf(manifests, mainOf(workload), {}))),
        );
        const inExample = [...read('k8s/base/common/secret.example.yaml').matchAll(/^ {4}(?:# )?([A-Z][A-Z0-9_]+):/gm)];
        const known = new Set([...inPods, ...inExample.map(([, name = '']) => name), ...NOT_OURS]);
        expect(settings.filter((name) => !known.has(name))).to.equal([]);
        expect([...known].filter((name) => ![...settings, ...OF_OTHERS].includes(name))).to.equal([]);
    });

    it('have no secret among them', () => {
        for (const { manifests, name } of rendered) {
            expect(manifests.filter(({ kind }) => kind === 'Secret')).to.equal([]);
            for (const workload of workloadsOf(manifests)) {
                for (const container of containersOf(podOf(workload))) {
                    const given = environmentOf(manifests, container, {});
                    const values = Object.entries(given).filter(([key, value]) => SECRET.test(key) && value);
                    expect(values, `${name} ${container.name}`).to.equal([]);
                }
            }
        }
    });

    it('have examples of secrets that no program takes', () => {
        for (const [name, values] of example()) {
            for (const [key, value] of Object.entries(values)) expect(value, `${name} ${key}`).to.match(/<[^<>]+>/);
        }
        const manifests = render('base');
        const { env: _env, ...api } = mainOf(named<Workload>(manifests, 'Deployment', 'api'));
        const values = example().get('llm-api-layer') ?? {};
        expect(Object.keys(values).toSorted()).to.equal(Object.keys(newSecrets()).toSorted());
        for (const name of Object.keys(values)) {
            const withOne = { ...newSecrets(), [name]: values[name] ?? '' };
            expect(() => configOf(manifests, api, withOne), name).to.throw(ConfigError, new RegExp(name));
        }
    });

    it('name secrets that the example has', () => {
        const keys = example();
        const containers = rendered.flatMap(({ manifests }) =>
            workloadsOf(manifests).flatMap((workload) => containersOf(podOf(workload))),
        );
        const whole = containers.flatMap(({ envFrom = [] }) => envFrom.flatMap(({ secretRef }) => secretRef ?? []));
        const single = containers.flatMap(({ env = [] }) =>
            env.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef ?? []),
        );
        expect(new Set(whole.map(({ name }) => name))).to.equal(new Set(['llm-api-layer']));
        expect(new Set(single.map(({ name, key }) => `${name}/${key}`))).to.equal(new Set(['redis/password']));
        expect([...keys.keys()]).to.equal(['llm-api-layer', 'redis']);
        expect(Object.keys(keys.get('redis') ?? {})).to.equal(['password']);
    });

    it('put backups into a bucket, or on a volume that lasts, or nowhere', () => {
        for (const { manifests, name } of rendered) {
            for (const workload of ours(manifests)) {
                const { BACKUP_DIR, BACKUP_S3_BUCKET } = configOf(manifests, mainOf(workload));
                const at = mainOf(workload).volumeMounts?.find(({ mountPath }) => BACKUP_DIR.startsWith(mountPath));
                const volume = podOf(workload).volumes?.find((one) => one.name === at?.name);
                const expected = {
                    bucket: BACKUP_S3_BUCKET !== undefined,
                    claim: volume?.persistentVolumeClaim?.claimName,
                };
                const isDevelopment = name === 'overlays/development';
                const isOfSite = name === 'site' || (name.startsWith('overlays/') && !isDevelopment);
                expect(expected, name).to.equal({
                    bucket: isOfSite,
                    claim: isDevelopment ? 'backups' : undefined,
                });
                if (!isDevelopment) expect(at, name).to.be.undefined();
            }
        }
    });

    it('give Redis those that the project has tried', () => {
        expect(read('k8s/base/common/redis.conf')).to.equal(read('.redis.conf'));
        const { args = [], volumeMounts = [] } = mainOf(named<Workload>(render('base'), 'StatefulSet', 'redis'));
        expect(args.filter((arg) => arg.startsWith('--'))).to.equal(['--dir', '--maxmemory', '--requirepass']);
        expect(args.at(-1)).to.equal('$(REDIS_PASSWORD)');
        expect(volumeMounts).to.equal([
            { name: 'data', mountPath: '/data' },
            { name: 'settings', mountPath: '/etc/redis', readOnly: true },
        ]);
    });
});
