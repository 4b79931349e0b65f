-- Give a VM the status that its driver shows, if nobody has changed it since.
-- KEYS[1] VM · KEYS[2] events · KEYS[3] audit · KEYS[4] credits · KEYS[5] the VMs that run, by when they are paid
-- ARGV[1] JSON {revision, to, reason?, audit, meter: as `metering.lua` has it}
-- Returns 1 mended, 0 it has changed, or may not become that
-- @include now
-- @include calendar
-- @include outbox
-- @include credits
-- @include vm-status
-- @include metering
local change = cjson.decode(ARGV[1])
local revision, pending, status = unpack(redis.call('HMGET', KEYS[1], 'revision', 'operation', 'status'))
if revision ~= change.revision or pending or not may_become(status, change.to) then return 0 end

local keys = { credits = KEYS[4], events = KEYS[2], audit = KEYS[3], running = KEYS[5] }
local at = now()
local event = change_status(keys, KEYS[1], change.to, change.meter, at)
if change.reason then redis.call('HSET', KEYS[1], 'errorReason', change.reason) end
touch(KEYS[1], at)
append_entries(KEYS[2], KEYS[3], { events = { event }, audit = change.audit }, at)
return 1
