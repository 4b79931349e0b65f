import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type TestApp } from '../../helpers/app.ts';
import { image, startCluster, whyNoKubectl, type TestCluster } from '../../helpers/kube/cluster.ts';
import { render } from '../../helpers/kubernetes.ts';
import { settingsOf } from '../../helpers/workloads.ts';

import type { Config } from '../../../src/config.ts';

export const lab = Lab.script();
const { describe, it, afterEach } = lab;

const missing = whyNoKubectl();
if (missing !== null) console.log(`The tests of rollouts of the API itself are skipped: ${missing}.`);

const METRICS_TOKEN = 'a-token-to-read-metrics-by';
const EMAIL = 'ada@acme.example';
const PASSWORD = 'correct horse battery staple';
const LOGIN = { ROLLOUT_EMAIL: EMAIL, ROLLOUT_PASSWORD: PASSWORD };

describe('a rollout of the API itself', { skip: missing !== null, timeout: 240_000 }, () => {
    let app: TestApp;
    let cluster: TestCluster;
    afterEach(async () => {
        await cluster.stop();
        await app.stop();
    });

    /** The pods of a version are this API. */
    const start = async (config: Partial<Config> = {}) => {
        app = await startApp({ listen: true, config: { METRICS_TOKEN, ...config } });
        const domain = `d${Date.now()}.example`;
        const email = `ada@${domain}`;
        const payload = { tenantName: 'Acme', domain, email, password: PASSWORD };
        const { status } = await app.call('POST', '/api/auth/register', {
            payload,
            headers: { 'x-forwarded-proto': 'https' },
            ...(config.TRUSTED_PROXIES && { from: config.TRUSTED_PROXIES[0]?.replace(/\/.*/, '') ?? '' }),
        });
        expect(status).to.equal(201);
        const { VERSION } = app.config;
        cluster = await startCluster('blue-green', { [VERSION]: { port: app.server.info.port as number } });
        const deploy = (env: Record<string, string>, ...args: string[]) =>
            cluster.rollout('blue-green deploy', ['--image', image(VERSION), ...args], { env });
        return { deploy, env: { METRICS_TOKEN, ...LOGIN, ROLLOUT_EMAIL: email } };
    };

    it('is tested by a user who calls the sandbox', async () => {
        const { deploy, env } = await start();
        const { BUILD_COMMIT: commit } = app.config;
        const { code, stdout, stderr } = await deploy(env, `--expect-commit=${commit}`);
        expect([code, stderr]).to.equal([0, '']);
        expect(stdout).to.match(
            /is ready, version \d+\.\d+\.\d+\n {2}A user gets in: commit .*\n {2}The sandbox answers\./,
        );
        for (const secret of [PASSWORD, METRICS_TOKEN, env.ROLLOUT_EMAIL]) expect(stdout).not.to.contain(secret);
    });

    it('is tested by a stranger, who must not get in', async () => {
        const { deploy, env } = await start();
        const { code, stdout } = await deploy({ METRICS_TOKEN: env.METRICS_TOKEN });
        expect(code).to.equal(0);
        expect(stdout).to.contain('It lets nobody in without credentials.');
    });

    it('is not tested where the metrics may not be read', async () => {
        const { deploy } = await start();
        const { code, stderr } = await deploy({ METRICS_TOKEN: 'another' });
        expect([code, stderr]).to.equal([3, 'Rolled back: /metrics was answered with 401 UNAUTHENTICATED\n']);
    });

    it('says what is missing where only HTTPS is served', async () => {
        const { deploy, env } = await start({ REQUIRE_HTTPS: true, TRUSTED_PROXIES: ['10.0.0.0/8'] });
        const { code, stderr } = await deploy(env);
        expect(code).to.equal(3);
        expect(stderr).to.contain('add 127.0.0.1/32 to TRUSTED_PROXIES');
        expect((await deploy({ METRICS_TOKEN })).code).to.equal(0);
    });

    it('takes the word of a port-forward for HTTPS, with the settings of the manifests', async () => {
        const { REQUIRE_HTTPS, TRUSTED_PROXIES = '' } = settingsOf(render('base'));
        expect(REQUIRE_HTTPS).to.equal('true');
        const { deploy, env } = await start({ REQUIRE_HTTPS: true, TRUSTED_PROXIES: TRUSTED_PROXIES.split(',') });
        expect(await deploy(env)).to.include({ code: 0, stderr: '' });
    });
});
