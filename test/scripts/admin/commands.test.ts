import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { readOrder } from '../../../scripts/admin/commands.ts';
import { printed } from '../../../scripts/admin/print.ts';
import { UsageError } from '../../../scripts/admin/usage.ts';
import { operatorAtTheShell } from '../../../src/operator.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { newMember } from '../../helpers/invite.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { newTenant, platformToken, type TestTenant } from '../../helpers/tenant.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const ID = 'tenant_01K9ZQ4V7N8M3T5R2W6X1Y0ABC';

describe('The commands for admins', () => {
    let redis: TestRedis;
    let app: TestApp;
    let ada: TestTenant;
    let platform: string;

    before(async () => {
        redis = await startRedis();
        app = await startApp({ redisPath: redis.path });
        ada = await newTenant(app);
        platform = await platformToken(app);
    });

    after(async () => {
        await app.stop();
        await redis.stop();
    });

    // oxlint-disable-next-line typescript/no-explicit-any -- a test says what it expects of an answer
    const ask = async (...args: string[]): Promise<any> => {
        const { act } = await readOrder(args);
        return act?.(app.server, operatorAtTheShell());
    };
    const refusal = async (...args: string[]) => {
        const error = (await expect(ask(...args)).to.reject()) as Error & { data?: { code?: string } };
        return error.data?.code;
    };
    const audit = async (tenant: TestTenant | null, query: string) => {
        const token = tenant ? tenant.accessToken : platform;
        const { body } = await app.call('GET', `/api/audit?${query}`, { token });
        return body.data.entries as Record<string, unknown>[];
    };

    it('make a tenant with an invitation, and find it', async () => {
        const create = [
            'tenant',
            'create',
            '--name',
            'Hooli',
            '--domain',
            'hooli.example',
            '--email',
            'g@hooli.example',
        ];
        const { tenant, user, token } = await ask(...create, '--plan', 'premium', '--display-name', 'Gavin');
        expect(tenant).to.include({ name: 'Hooli', plan: 'premium' });
        expect(user).to.include({ email: 'g@hooli.example', displayName: 'Gavin', role: 'admin' });
        const payload = { token, password: 'correct horse battery staple' };
        expect((await app.call('POST', '/api/auth/invitation/accept', { payload })).status).to.equal(200);
        expect(await ask('tenant', 'show', tenant.id)).to.equal({ tenant });
        expect(await refusal(...create)).to.equal('DOMAIN_TAKEN');
        const first = await ask('tenant', 'list', '--limit', '1');
        expect(first.tenants.map(({ id }: { id: string }) => id)).to.equal([tenant.id]);
        const next = await ask('tenant', 'list', '--cursor', first.pagination.cursor);
        expect(next.tenants.map(({ id }: { id: string }) => id)).to.equal([ada.tenantId]);
    });

    it('suspend, delete and bring tenants back, told as the operator’s', async () => {
        const { tenantId } = await newTenant(app);
        const suspended = await ask('tenant', 'suspend', tenantId, '--reason', 'Overdue');
        expect(suspended.tenant).to.include({ status: 'suspended', suspendedReason: 'Overdue' });
        expect((await ask('tenant', 'activate', tenantId)).tenant.status).to.equal('active');
        expect((await ask('tenant', 'delete', tenantId, '--yes')).tenant.status).to.equal('deleted');
        expect((await ask('tenant', 'restore', tenantId)).tenant.status).to.equal('active');
        const [told] = await audit(null, 'action=tenant.suspend&result=success&userId=operator');
        expect(told).to.include({
            actor: { type: 'operator', id: null },
            resourceId: tenantId,
            userAgent: 'operator at the shell',
        });
    });

    it('show users, and let them in or not, with the reason in both audits', async () => {
        const userId = await newMember(ada, { displayName: 'Bob' });
        const { users } = await ask('user', 'list', ada.tenantId, '--q', 'bo');
        expect(users.map(({ id }: { id: string }) => id)).to.equal([userId]);
        const suspended = await ask('user', 'suspend', ada.tenantId, userId, '--reason', 'Left');
        expect(suspended.user).to.include({ id: userId, isActive: false });
        expect((await ask('user', 'activate', ada.tenantId, userId)).user.isActive).to.be.true();
        const [, own] = await audit(ada, 'action=user.update');
        const [told] = await audit(null, 'action=user.suspend&result=success');
        for (const entry of [own, told]) {
            expect(entry).to.include({ actor: { type: 'operator', id: null }, resourceId: userId });
            expect(entry?.details).to.include({ reason: 'Left' });
        }
        for (const tenant of [ada, null]) expect(await audit(tenant, 'action=user.list')).to.have.length(1);
        expect(await refusal('user', 'suspend', ada.tenantId, ada.userId, '--reason', 'x')).to.equal('LAST_ADMIN');
        expect(await refusal('user', 'list', ID)).to.equal('TENANT_NOT_FOUND');
    });

    it('set the configuration', async () => {
        const set = ['registration=closed', 'limits.free.tunnels=7', 'maintenance=on', 'message=Back soon'];
        const { config } = await ask('config', 'set', ...set);
        expect([config.registration, config.limits.free.tunnels]).to.equal(['closed', 7]);
        expect(config.maintenance).to.equal({ isOn: true, message: 'Back soon' });
        await ask(
            'config',
            'set',
            'registration=default',
            'limits.free.tunnels=default',
            'maintenance=off',
            'message=',
        );
        const now = await ask('config', 'get');
        expect([now.config.registration, now.config.limits.free.tunnels]).to.equal(['open', 3]);
        expect(now.config.maintenance).to.equal({ isOn: false, message: null });
    });

    it('say what they do not understand', async () => {
        for (const [args, what] of [
            [[], 'There is no command without a name'],
            [['tenant', 'explode'], 'There is no command tenant explode'],
            [['tenant', 'show'], 'tenant show takes other arguments'],
            [['tenant', 'show', 'acme'], 'tenantId'],
            [['tenant', 'show', ID, ID], 'tenant show takes other arguments'],
            [['tenant', 'delete', ID], 'Say --yes to do that'],
            [['tenant', 'suspend', ID], 'reason is required'],
            [['tenant', 'create', '--name', 'X', '--password', 'secret'], '--password'],
            [['tenant', 'create', '--name', 'X', '--plan', 'gold'], 'plan must be one of'],
            [['tenant', 'list', '--reason', 'x'], 'This command has no option --reason'],
            [['tenant', 'list', '--limit', '101'], 'limit must be less'],
            [['user', 'suspend', ID, 'bob', '--reason', 'x'], 'userId'],
            [['config', 'set'], 'config set takes other arguments'],
            [['config', 'set', 'color=red'], 'There is nothing to be set by color=red'],
            [['config', 'set', 'maintenance=perhaps'], 'There is nothing to be set by maintenance=perhaps'],
            [['config', 'set', 'limits.free.tunnels=-1'], 'limits.free.tunnels must be greater'],
            [['config', 'set', 'limits.__proto__.tunnels=1'], 'There is nothing to be set'],
            [['config', 'set', 'limits.free.__proto__=1'], 'There is nothing to be set'],
            [['config', 'set', 'limits.free.tunnels='], 'limits.free.tunnels must be a number'],
        ] as [string[], string][]) {
            const error = await expect(readOrder(args)).to.reject(UsageError);
            expect((error as Error).message, args.join(' ')).to.contain(what);
        }
        expect(await readOrder(['--help', '--json'])).to.equal({ act: null, isJson: true });
    });

    it('print what they have to tell, for people', () => {
        const tenant = { id: ID, status: 'active', plan: 'free', domain: 'a.example', name: 'A' };
        const pagination = { cursor: 'abc', limit: 1, hasMore: true };
        expect(printed({ tenants: [tenant], pagination })).to.equal(
            `id                                 status  plan  domain     name\n${ID}  active  free  a.example  A\nmore: --cursor abc\n`,
        );
        expect(printed({ user: { id: 'u', tier: null, more: { isActive: true } } })).to.equal(
            'id: u\ntier: -\nmore.isActive: true\n',
        );
        expect(printed({ tenant: { id: 't' }, token: 'it1' })).to.equal('tenant.id: t\ntoken: it1\n');
    });
});
