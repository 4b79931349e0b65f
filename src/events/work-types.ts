import { happening } from './entry.ts';

const OF_MESSAGE = ['userId', 'threadId', 'messageId'] as const;
const MODEL = { modelId: 'gpt-4o-mini' };

/** What happens in conversations, and to what users run. */
export const workTypes = {
    'thread.created': happening('There is a new thread.', ['threadId', 'userId']),
    'thread.updated': happening('A thread has another title.', ['threadId', 'userId']),
    'thread.deleted': happening('A thread was deleted with its messages.', ['threadId', 'userId']),
    'thread.summarized': happening('The summary of a model’s context is there.', ['userId', 'threadId'], MODEL),
    'thread.summary_deleted': happening('The summary of a model’s context is gone.', ['userId', 'threadId'], MODEL),
    'message.created': happening('A message was sent.', [...OF_MESSAGE], MODEL),
    'message.complete': happening('An answer is there.', [...OF_MESSAGE], MODEL),
    'message.failed': happening('An answer has failed.', [...OF_MESSAGE], MODEL),
    'message.cancelled': happening('An answer was stopped by its user.', [...OF_MESSAGE], MODEL),
    'message.interrupted': happening('An answer was cut off by our side.', [...OF_MESSAGE], MODEL),

    'model.loaded': happening('A model was loaded into memory.', ['userId', 'jobId'], { modelId: 'llama3:8b' }),
    'model.load_failed': happening('A model could not be loaded.', ['userId', 'jobId'], {
        modelId: 'llama3:8b',
        code: 'PROVIDER_TIMEOUT',
    }),
    'model.unloaded': happening('A model was taken out of memory.', ['userId'], { modelId: 'llama3:8b' }),

    'tunnel.created': happening('There is a new tunnel.', ['tunnelId', 'userId']),
    'tunnel.updated': happening('Name, settings or token of a tunnel have changed.', ['tunnelId', 'userId']),
    'tunnel.deleted': happening('A tunnel was deleted.', ['tunnelId', 'userId']),
    'tunnel.status_changed': happening('A tunnel has another status.', ['tunnelId', 'userId'], {
        from: 'connecting',
        to: 'connected',
    }),
    'tunnel.endpoint_added': happening('A tunnel leads to one more endpoint.', ['tunnelId', 'userId', 'endpointId']),
    'tunnel.endpoint_updated': happening('An endpoint has changed.', ['tunnelId', 'userId', 'endpointId']),
    'tunnel.endpoint_deleted': happening('An endpoint is gone.', ['tunnelId', 'userId', 'endpointId']),
    'tunnel.shared': happening('A tunnel was shared.', ['tunnelId', 'userId', 'shareId']),
    'tunnel.unshared': happening('A share of a tunnel was taken back.', ['tunnelId', 'userId', 'shareId']),

    'proxy.created': happening('There is a new proxy.', ['proxyId', 'userId']),
    'proxy.updated': happening('Name, members or settings of a proxy have changed.', ['proxyId', 'userId']),
    'proxy.deleted': happening('A proxy was deleted.', ['proxyId', 'userId']),
    'proxy.status_changed': happening('A proxy has another status.', ['proxyId', 'userId'], {
        from: 'running',
        to: 'degraded',
    }),
    'proxy.scaled': happening('A proxy has another number of replicas.', ['proxyId', 'userId'], {
        from: 1,
        to: 2,
        reason: 'load',
    }),
    'proxy.recovery_failed': happening('Every try to recover a proxy has failed.', ['proxyId', 'userId'], { tries: 3 }),

    'project.created': happening('There is a new project.', ['projectId', 'userId']),
    'project.updated': happening('Name or description of a project have changed.', ['projectId', 'userId']),
    'project.deleting': happening('A project is being deleted with all VMs in it.', ['projectId', 'userId']),
    'project.deleted': happening('A project is gone.', ['projectId', 'userId']),
    'vm.created': happening('A VM was asked for.', ['vmId', 'projectId', 'userId']),
    'vm.updated': happening('A VM has another name.', ['vmId', 'projectId', 'userId']),
    'vm.status_changed': happening('A VM has another status.', ['vmId', 'projectId', 'userId'], {
        from: 'creating',
        to: 'running',
    }),
    'vm.operation_failed': happening('An operation of a VM was given up.', ['vmId', 'projectId', 'userId'], {
        operation: 'start',
    }),
    'vm.credits_out': happening(
        'There are no credits left for a running VM, which will be stopped at `stopsAt` (epoch milliseconds).',
        ['vmId', 'projectId', 'userId'],
        { stopsAt: 1_795_170_600_000 },
    ),
    'vm.deleted': happening('A VM is gone.', ['vmId', 'projectId', 'userId']),
};
