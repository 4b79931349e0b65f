-- Remove a VM that its driver has removed, if the removal is still the pending operation.
-- KEYS[1] VM · KEYS[2] events · KEYS[3] audit · KEYS[4] credits · KEYS[5] the VMs that run, by when they are paid
-- KEYS[6] the user's VMs · KEYS[7] the project's VMs · KEYS[8] the same by name, in lower case · KEYS[9] the tenant's VMs
-- KEYS[10] VMs removed lately · then the VM's other keys
-- ARGV[1] JSON {id, operationId, audit, meter: as `metering.lua` has it}
-- Returns 1 removed, 0 it is not pending
-- @include now
-- @include calendar
-- @include outbox
-- @include credits
-- @include vm-status
-- @include metering
local change = cjson.decode(ARGV[1])
local name, project, user, pending =
    unpack(redis.call('HMGET', KEYS[1], 'name', 'projectId', 'userId', 'operationId'))
if pending ~= change.operationId then return 0 end

local keys = { credits = KEYS[4], events = KEYS[2], audit = KEYS[3], running = KEYS[5] }
local at = now()
local data = { vmId = change.id, projectId = project, userId = user }
local events = { change_status(keys, KEYS[1], 'terminated', change.meter, at), event_of('vm.deleted', data) }
for _, list in ipairs({ KEYS[6], KEYS[7], KEYS[9] }) do redis.call('ZREM', list, change.id) end
redis.call('HDEL', KEYS[8], name:lower())
redis.call('ZADD', KEYS[10], string.format('%d', at), change.id)
redis.call('UNLINK', KEYS[1])
for n = 11, #KEYS do redis.call('UNLINK', KEYS[n]) end
append_entries(KEYS[2], KEYS[3], { events = events, audit = change.audit }, at)
return 1
