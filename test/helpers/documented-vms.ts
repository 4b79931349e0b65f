import { newTenant } from './tenant.ts';
import { giveCredit, settle, vmPayload } from './vm.ts';
import { dollars } from '../../src/money.ts';

import type { Answer, TestApp } from './app.ts';

/** Asks every operation about projects and VMs for what it has to say, and has the answers looked at. */
export async function askAboutVms(
    app: TestApp,
    look: (method: string, path: string, answer: Answer) => void,
): Promise<void> {
    const [projects, vms] = ['/api/projects', '/api/vms'];
    const [project, vm] = [`${projects}/{projectId}`, `${vms}/{vmId}`];
    const own = await newTenant(app);
    const ask = async (method: string, path: string, id = '', options = {}) => {
        const answer = await own.call(method.toUpperCase(), path.replace(/\{\w+\}/, id), options);
        look(method, path, answer);
        return answer.body.data;
    };
    const shop = (await ask('post', projects, '', { payload: { name: 'shop' } })).project.id;
    for (const payload of [{ name: 'shop' }, { name: 'root' }]) await ask('post', projects, '', { payload });
    const gone = 'project_00000000000000000000000000';
    await ask('get', projects);
    for (const id of [shop, gone]) await ask('get', project, id);
    await ask('patch', project, shop, { payload: { description: 'A shop' } });
    await ask('patch', project, shop, { payload: { name: 'late' }, headers: { 'if-match': '"1"' } });

    look('get', `${vms}/pricing`, await app.call('GET', `${vms}/pricing`));
    await ask('post', vms, '', { payload: vmPayload(shop) });
    await giveCredit(app, own.tenantId, dollars(1));
    const db = (await ask('post', vms, '', { payload: vmPayload(shop) })).vm.id;
    for (const id of [shop, gone]) await ask('post', vms, '', { payload: vmPayload(id) });
    for (const query of ['', '?status=creating', `?projectId=${gone}`]) {
        look('get', vms, await own.call('GET', `${vms}${query}`));
    }
    await ask('patch', vm, db, { payload: { name: 'db' } });
    for (const operation of ['stop', 'restart', 'start']) {
        await ask('post', `${vm}/${operation}`, db);
        await settle(app, own.tenantId, db);
        await ask('post', `${vm}/${operation}`, db);
        await settle(app, own.tenantId, db);
    }
    await ask('get', project, shop);
    await ask('get', vm, db);
    for (const what of ['metrics', 'metrics/history']) {
        for (const id of [db, 'vm_00000000000000000000000000']) await ask('get', `${vm}/${what}`, id);
    }
    await ask('delete', vm, db, { headers: { 'if-match': '"99"' } });
    for (let times = 0; times < 2; times++) await ask('delete', project, shop);
    await ask('patch', project, shop, { payload: { name: 'late' } });
    await ask('post', vms, '', { payload: vmPayload(shop, { name: 'late' }) });
    await ask('delete', vm, db);
    await settle(app, own.tenantId, db);
    await ask('delete', project, shop);
    for (const path of [vm, `${vm}/start`]) await ask(path === vm ? 'get' : 'post', path, db);
}
