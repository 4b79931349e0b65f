import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { newKey } from '../../helpers/api-key.ts';
import { startApp, startReplicas, type Answer, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { setLimits, setPlan } from '../../helpers/limits.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { newUser } from '../../helpers/user.ts';
import { eventsOf, newProject, tracesOf } from '../../helpers/vm.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const NOBODYS = '/api/projects/project_00000000000000000000000000';
const statusesOf = (answers: Answer[]) => answers.map(({ status }) => status).toSorted((a, b) => a - b);

let app: TestApp;
let ada: TestTenant;

before(async () => {
    app = await startApp();
});

beforeEach(async () => {
    ada = await newTenant(app);
});

after(() => app.stop());

const create = (name: string, more: object = {}) => ada.call('POST', '/api/projects', { payload: { name, ...more } });

describe('POST /api/projects', () => {
    it('creates a project, with an event and an audit entry', async () => {
        const { status, body, headers } = await create('web-shop', { description: ' The shop ' });
        expect(status).to.equal(201);
        const { project } = body.data;
        expect(project).to.include({ name: 'web-shop', description: 'The shop', status: 'active', revision: 1 });
        expect(project.id).to.match(/^project_/);
        expect(project.userId).to.equal(ada.userId);
        expect(headers.etag).to.equal('"1"');
        const [event] = await eventsOf(app, ada.tenantId, 'project.');
        expect(event).to.equal({ type: 'project.created', data: { projectId: project.id, userId: ada.userId } });
        const entry = (await readAudit(app, ada.tenantId)).find(({ action }) => action === 'project.create');
        expect(entry).to.include({ resourceId: project.id, userId: ada.userId, result: 'success' });
        expect((await create('other')).body.data.project.description).to.be.null();
    });

    for (const [what, payload, fields] of [
        ['no name', {}, ['name']],
        ['an empty name', { name: '' }, ['name']],
        ['a space in the name', { name: 'web shop' }, ['name']],
        ['a letter of another alphabet', { name: 'läden' }, ['name']],
        ['a name that is too long', { name: 'a'.repeat(101) }, ['name']],
        ['a description that is too long', { name: 'a', description: 'a'.repeat(1_001) }, ['description']],
        ['an unknown field', { name: 'a', status: 'deleting' }, ['status']],
    ] as const) {
        it(`refuses ${what}`, async () => {
            expectFaults(await ada.call('POST', '/api/projects', { payload }), [...fields]);
        });
    }

    it('refuses reserved names, and takes others that have them in them', async () => {
        for (const name of ['admin', 'root', 'system', 'api', 'www', 'mail', 'FTP']) {
            const { details } = expectError(await create(name), 'VALIDATION_ERROR');
            expect(details.fields).to.equal({ name: 'name is a reserved name' });
        }
        for (const name of ['admins', 'my-api', 'a'.repeat(100)]) expect((await create(name)).status).to.equal(201);
    });

    it('gives a name once to a user, whatever its case, also when it is asked for at once', async () => {
        const names = ['Shop', 'shop', 'SHOP', 'sHop', 'Shop', 'shop', 'shoP', 'shop'];
        const answers = await Promise.all(names.map((name) => create(name)));
        expect(statusesOf(answers)).to.equal([201, ...Array<number>(7).fill(409)]);
        for (const answer of answers.filter(({ status }) => status === 409)) expectError(answer, 'NAME_TAKEN');
        const colleague = await newUser(app, ada.tenantId, 'user');
        expect(await newProject(colleague, 'shop')).to.be.a.string();
    });

    it('makes no more projects than the tier allows, also when they are asked for at once', async () => {
        await setLimits(app, ada.tenantId, { projects: 3 });
        const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => create(`project-${n}`)));
        expect(statusesOf(answers)).to.equal([201, 201, 201, ...Array<number>(7).fill(429)]);
        const error = expectError(await create('one-more'), 'QUOTA_EXCEEDED');
        expect(error.details).to.equal({ quota: 'projects', used: 3, limit: 3, resetsAt: null });
        await newProject(await newUser(app, ada.tenantId, 'user'), 'of-another-user');
    });

    it('asks for as many as the tier says, and has no limit where it says none', async () => {
        for (let n = 0; n < 10; n++) await newProject(ada, `project-${n}`);
        expectError(await create('eleven'), 'QUOTA_EXCEEDED');
        await setPlan(app, ada.tenantId, 'enterprise');
        expect((await create('eleven')).status).to.equal(201);
    });

    it('gives a name once on two replicas', async () => {
        const [one, two] = await startReplicas();
        const { accessToken: token } = await newTenant(one);
        const options = { token, payload: { name: 'shop' } };
        const calls = Array.from({ length: 10 }, (_, n) => (n % 2 ? one : two).call('POST', '/api/projects', options));
        expect(statusesOf(await Promise.all(calls))).to.equal([201, ...Array<number>(9).fill(409)]);
        await one.stop();
        await two.stop();
    });

    it('takes the permission project:write', async () => {
        const { secret: token } = await newKey(ada, { scopes: ['project:read'] });
        const options = { token, payload: { name: 'shop' } };
        expectError(await app.call('POST', '/api/projects', options), 'FORBIDDEN');
        expect((await app.call('GET', '/api/projects', { token })).status).to.equal(200);
        const user = await newUser(app, ada.tenantId, 'user');
        expect((await user.call('POST', '/api/projects', { payload: { name: 'shop' } })).status).to.equal(201);
    });
});

describe('GET /api/projects', () => {
    it('lists the user’s own projects, newest first or oldest first, page by page', async () => {
        const ids = [await newProject(ada, 'one'), await newProject(ada, 'two'), await newProject(ada, 'three')];
        await newProject(await newUser(app, ada.tenantId, 'admin'), 'of-another-user');
        const first = await ada.call('GET', '/api/projects?limit=2');
        const { cursor, ...rest } = first.body.pagination;
        expect(rest).to.equal({ limit: 2, hasMore: true, totalCount: 3 });
        const second = await ada.call('GET', `/api/projects?limit=2&cursor=${encodeURIComponent(cursor)}`);
        const listed = [...first.body.data.projects, ...second.body.data.projects].map(({ id }) => id);
        expect(listed).to.equal(ids.toReversed());
        const oldest = await ada.call('GET', '/api/projects?order=asc');
        expect(oldest.body.data.projects.map(({ id }: { id: string }) => id)).to.equal(ids);
        expectError(await ada.call('GET', `/api/projects?order=asc&cursor=${cursor}`), 'INVALID_CURSOR');
    });
});

describe('GET /api/projects/{projectId}', () => {
    it('answers with the project, its VMs and their figures', async () => {
        const id = await newProject(ada);
        const { status, body, headers } = await ada.call('GET', `/api/projects/${id}`);
        expect([status, headers.etag]).to.equal([200, '"1"']);
        expect(body.data.project).to.include({ id, name: 'web-shop' });
        expect(body.data.vms).to.equal([]);
        expect(body.data.statistics).to.include({ vmCount: 0, totalCostMicros: 0, totalCost: '0.000000' });
    });
});

describe('PATCH /api/projects/{projectId}', () => {
    const change = (id: string, payload: object, headers = {}) =>
        ada.call('PATCH', `/api/projects/${id}`, { payload, headers });

    it('changes name and description, and frees the old name', async () => {
        const id = await newProject(ada, 'Old');
        const { status, body, headers } = await change(id, { name: 'New', description: 'Text' });
        expect([status, headers.etag]).to.equal([200, '"2"']);
        expect(body.data.project).to.include({ name: 'New', description: 'Text', revision: 2 });
        expect((await change(id, { description: null })).body.data.project.description).to.be.null();
        expect((await create('old')).status).to.equal(201);
        expectError(await create('new'), 'NAME_TAKEN');
        const [, event] = await eventsOf(app, ada.tenantId, 'project.');
        expect(event?.type).to.equal('project.updated');
    });

    it('refuses a name that another one has, and takes its own in other letters', async () => {
        await newProject(ada, 'first');
        const id = await newProject(ada, 'second');
        expectError(await change(id, { name: 'FIRST' }), 'NAME_TAKEN');
        expect((await change(id, { name: 'Second' })).body.data.project.name).to.equal('Second');
        expectError(await create('second'), 'NAME_TAKEN');
    });

    it('changes only the revision that If-Match names', async () => {
        const id = await newProject(ada);
        expectError(await change(id, { name: 'a' }, { 'if-match': '"7"' }), 'REVISION_MISMATCH');
        expect((await change(id, { name: 'a' }, { 'if-match': '"1"' })).status).to.equal(200);
    });

    it('refuses a body without changes, and a reserved name', async () => {
        const id = await newProject(ada);
        expectError(await change(id, {}), 'VALIDATION_ERROR');
        expectFaults(await change(id, { name: 'root' }), ['name']);
    });
});

describe('DELETE /api/projects/{projectId}', () => {
    it('deletes a project without VMs at once, and leaves no key', async () => {
        const id = await newProject(ada);
        const url = `/api/projects/${id}`;
        expectError(await ada.call('DELETE', url, { headers: { 'if-match': '"2"' } }), 'REVISION_MISMATCH');
        expect((await tracesOf(app, ada.tenantId, [id])).length).to.be.above(1);
        const { status, body } = await ada.call('DELETE', url, { headers: { 'if-match': '"1"' } });
        expect([status, body.data]).to.equal([200, { project: { id, status: 'deleted' } }]);
        expectError(await ada.call('GET', url), 'PROJECT_NOT_FOUND');
        expect(await tracesOf(app, ada.tenantId, [id])).to.equal([]);
        expect(await tracesOf(app, ada.tenantId, ['web-shop'])).to.equal([]);
        const events = await eventsOf(app, ada.tenantId, 'project.');
        expect(events.map(({ type }) => type)).to.equal(['project.created', 'project.deleted']);
        const actions = (await readAudit(app, ada.tenantId)).map(({ action }) => action);
        expect(actions.filter((action) => action === 'project.delete')).to.have.length(1);
        expect((await create('web-shop')).status).to.equal(201);
    });
});

describe('a project of somebody else', () => {
    it('is not found, whether he is in the tenant or not', async () => {
        const id = await newProject(ada);
        const others = [await newUser(app, ada.tenantId, 'admin'), await newTenant(app)];
        for (const { call } of others) {
            for (const url of [`/api/projects/${id}`, NOBODYS]) {
                expectError(await call('GET', url), 'PROJECT_NOT_FOUND');
                expectError(await call('PATCH', url, { payload: { name: 'mine' } }), 'PROJECT_NOT_FOUND');
                expectError(await call('DELETE', url), 'PROJECT_NOT_FOUND');
            }
        }
        expect((await ada.call('GET', `/api/projects/${id}`)).body.data.project.revision).to.equal(1);
    });
});
