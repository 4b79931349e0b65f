-- Charge the running VMs of a tenant for the minutes that have begun.
-- KEYS[1] credits · KEYS[2] events · KEYS[3] audit · KEYS[4] the VMs that run, by when they are paid · KEYS[5] what the
--         keys of VMs begin with: the same tenant, the same slot · KEYS[6] tenant · KEYS[7] what the keys of users begin with
-- ARGV[1] JSON of the meter, as `meter_vm` has it, with an id for each VM · ARGV[2] how many VMs
-- ARGV[3] how many of the first to leave out: they were looked at and not paid
-- Returns {how many were looked at, how many of them are not paid, {id of one that is to be stopped, why, …}}: `unpaid`, its
--         time without credit is over; `unowned`, its user was deleted, or the tenant is not active
-- @include now
-- @include calendar
-- @include outbox
-- @include credits
-- @include vm-status
-- @include metering
local keys = { credits = KEYS[1], events = KEYS[2], audit = KEYS[3], running = KEYS[4] }
local meter, at = cjson.decode(ARGV[1]), now()
local due = redis.call('ZRANGEBYSCORE', keys.running, '-inf', digits(at), 'LIMIT', ARGV[3], ARGV[2])
local is_active = redis.call('HGET', KEYS[6], 'status') == 'active'
local unpaid, stop = 0, {}
for _, id in ipairs(due) do
    local vm = KEYS[5] .. id
    local out_at = meter_running(keys, vm, meter, at)
    if out_at then unpaid = unpaid + 1 end
    local reason = out_at and at - out_at >= meter.graceMs and 'unpaid' or nil
    if not is_active or redis.call('HGET', KEYS[7] .. redis.call('HGET', vm, 'userId'), 'deletedAt') then
        reason = 'unowned'
    end
    if reason then
        stop[#stop + 1] = id
        stop[#stop + 1] = reason
    end
end
return { #due, unpaid, stop }
