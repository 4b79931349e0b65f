import type { RecordBase } from '../../src/redis/codec.ts';
import type { Actor } from '../../src/types/actor.ts';

export { resourceName } from './resource-name.ts';

/** What holds VMs together, of a user. */
export interface Project extends RecordBase {
    userId: string;
    name: string;
    description: string | null;
    /** `deleting`: what is in it is being removed, and nothing new is taken. */
    status: 'active' | 'deleting';
}

/** What a project shows of a VM in it; money in micro-dollars and as a decimal string. */
export interface ProjectVm {
    id: string;
    name: string;
    instanceType: string;
    image: string;
    status: string;
    isSimulated: boolean;
    ipAddress: string | null;
    hourlyMicros: number;
    hourly: string;
    costMicros: number;
    cost: string;
    createdAt: string;
}

/** What is in a project at the moment; of its VMs at most the newest hundred, and figures of all. */
export interface ProjectView {
    vms: ProjectVm[];
    statistics: {
        vmCount: number;
        running: number;
        stopped: number;
        error: number;
        creating: number;
        totalCostMicros: number;
        totalCost: string;
        hourlyCostMicros: number;
        hourlyCost: string;
    };
}

/** What a feature keeps in projects. */
export interface ProjectContents {
    /** Keys that exist as long as there is something of it in the project. */
    keys(tenantId: string, projectId: string): string[];
    view(tenantId: string, projectId: string): Promise<ProjectView>;
    /** Asks for the removal of all of it; what asks again for what is on its way changes nothing. */
    remove(tenantId: string, projectId: string): Promise<void>;
    /** Removes all of it and waits for that. It may be called again after it was interrupted. */
    purge(tenantId: string, projectId: string): Promise<void>;
}

/** The port of the projects feature. */
export interface ProjectService {
    /** Those of the users that have projects: whoever takes a user away has to ask. */
    ownersAmong(tenantId: string, userIds: string[]): Promise<string[]>;
    /** @throws PROJECT_NOT_FOUND */
    get(actor: Actor, projectId: string): Promise<Project>;
    /** Where a project's record lives, for scripts that look at its owner and status. */
    key(tenantId: string, projectId: string): string;
    /** Names what is in projects. */
    contain(contents: ProjectContents): void;
    /** Asks again for what a deletion needs, and ends it when nothing is left in the project. */
    resume(tenantId: string, projectId: string): Promise<void>;
    /** Removes a project whose deletion was asked for, once nothing is in it; whether it is gone. */
    finish(tenantId: string, projectId: string): Promise<boolean>;
    /** Those of a tenant whose deletion was asked for. */
    deleting(tenantId: string): Promise<string[]>;
}

declare module '@hapi/hapi' {
    interface PluginProperties {
        projects: ProjectService;
    }
}
