-- Charge the running VMs of a tenant for the minutes that have begun.
-- KEYS[1] credits · KEYS[2] events · KEYS[3] audit · KEYS[4] the VMs that run, by when they are paid · KEYS[5] what the
--         keys of VMs begin with: the same tenant, the same slot
-- ARGV[1] JSON of the meter, as `meter_vm` has it, with an id for each VM · ARGV[2] how many VMs
-- ARGV[3] how many of the first to leave out: they were looked at and not paid
-- Returns {how many were looked at, how many of them are not paid, {id of one whose time without credit is over, …}}
-- @include now
-- @include calendar
-- @include outbox
-- @include credits
-- @include vm-status
-- @include metering
local keys = { credits = KEYS[1], events = KEYS[2], audit = KEYS[3], running = KEYS[4] }
local meter, at = cjson.decode(ARGV[1]), now()
local due = redis.call('ZRANGEBYSCORE', keys.running, '-inf', digits(at), 'LIMIT', ARGV[3], ARGV[2])
local unpaid, over = 0, {}
for _, id in ipairs(due) do
    local out_at = meter_running(keys, KEYS[5] .. id, meter, at)
    if out_at then unpaid = unpaid + 1 end
    if out_at and at - out_at >= meter.graceMs then over[#over + 1] = id end
end
return { #due, unpaid, over }
