-- Note that the driver has failed at an operation, if it is still the pending one. After the last try it is given up, and
-- the VM is in error where its status permits that. A removal stays pending: it is asked for again in a while.
-- KEYS[1] VM · KEYS[2] events · KEYS[3] audit · KEYS[4] credits · KEYS[5] the VMs that run, by when they are paid
-- ARGV[1] JSON {operationId, most, reason, audit, meter: as `metering.lua` has it}
-- Returns 0 it is not pending, 1 it is to be tried again, 2 it is given up
-- @include now
-- @include calendar
-- @include outbox
-- @include credits
-- @include vm-status
-- @include metering
local change = cjson.decode(ARGV[1])
local id, pending, operation, status, known = unpack(redis.call('HMGET', KEYS[1], 'id', 'operationId', 'operation',
    'status', 'errorReason'))
if pending ~= change.operationId then return 0 end

local keys = { credits = KEYS[4], events = KEYS[2], audit = KEYS[3], running = KEYS[5] }
local at = now()
redis.call('HSET', KEYS[1], 'operationTriedAt', string.format('%d', at))
if redis.call('HINCRBY', KEYS[1], 'operationTries', 1) < change.most then return 1 end

local is_removal = operation == 'remove'
if is_removal then redis.call('HDEL', KEYS[1], 'operationTries') else end_operation(KEYS[1]) end
if is_removal and known == change.reason then return 2 end
local project, user = unpack(redis.call('HMGET', KEYS[1], 'projectId', 'userId'))
local data = { vmId = id, projectId = project, userId = user, operation = operation }
local events = { event_of('vm.operation_failed', data) }
if may_become(status, 'error') then events[2] = change_status(keys, KEYS[1], 'error', change.meter, at) end
redis.call('HSET', KEYS[1], 'errorReason', change.reason)
touch(KEYS[1], at)
append_entries(KEYS[2], KEYS[3], { events = events, audit = change.audit }, at)
return 2
