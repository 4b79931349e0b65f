-- Apply what an operation has come to, if it is still the pending one.
-- KEYS[1] VM · KEYS[2] events · KEYS[3] audit · KEYS[4] credits · KEYS[5] the VMs that run, by when they are paid
-- ARGV[1] JSON {operationId, statuses: [status, …] that it goes through, ipAddress?, audit, meter: as `metering.lua` has it}
-- Returns 1 applied, 0 it is not pending
-- @include now
-- @include calendar
-- @include outbox
-- @include credits
-- @include vm-status
-- @include metering
local change = cjson.decode(ARGV[1])
if redis.call('HGET', KEYS[1], 'operationId') ~= change.operationId then return 0 end

local keys = { credits = KEYS[4], events = KEYS[2], audit = KEYS[3], running = KEYS[5] }
local at = now()
local events = {}
for _, to in ipairs(change.statuses) do
    if may_become(redis.call('HGET', KEYS[1], 'status'), to) then
        events[#events + 1] = change_status(keys, KEYS[1], to, change.meter, at)
    end
end
end_operation(KEYS[1])
redis.call('HDEL', KEYS[1], 'errorReason', 'ipAddress')
if change.ipAddress then redis.call('HSET', KEYS[1], 'ipAddress', change.ipAddress) end
touch(KEYS[1], at)
append_entries(KEYS[2], KEYS[3], { events = events, audit = change.audit }, at)
return 1
