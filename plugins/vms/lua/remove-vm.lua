-- Remove a VM that its driver has removed, if the removal is still the pending operation.
-- KEYS[1] VM · KEYS[2] events · KEYS[3] audit · KEYS[4] the user's VMs · KEYS[5] the project's VMs
-- KEYS[6] the same by name, in lower case · KEYS[7] the tenant's VMs · KEYS[8] VMs removed lately · then the VM's other keys
-- ARGV[1] JSON {id, operationId, audit}
-- Returns 1 removed, 0 it is not pending
-- @include now
-- @include outbox
-- @include vm-status
local change = cjson.decode(ARGV[1])
local name, status, project, user, pending = unpack(redis.call('HMGET', KEYS[1], 'name', 'status', 'projectId',
    'userId', 'operationId'))
if pending ~= change.operationId then return 0 end

local at = now()
local data = { vmId = change.id, projectId = project, userId = user }
local events = { status_event(KEYS[1], status, 'terminated'), event_of('vm.deleted', data) }
for _, list in ipairs({ KEYS[4], KEYS[5], KEYS[7] }) do redis.call('ZREM', list, change.id) end
redis.call('HDEL', KEYS[6], name:lower())
redis.call('ZADD', KEYS[8], string.format('%d', at), change.id)
redis.call('UNLINK', KEYS[1])
for n = 9, #KEYS do redis.call('UNLINK', KEYS[n]) end
append_entries(KEYS[2], KEYS[3], { events = events, audit = change.audit }, at)
return 1
