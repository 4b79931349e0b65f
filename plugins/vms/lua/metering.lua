-- Charges a running VM by the minute, from the credits. Needs `calendar`, `outbox`, `credits`, `vm-status`.
-- A minute is paid when it begins. `paidUntil` of a VM says how far it is paid: whoever moves that on charges for what lies
-- between, in the same script. The running VMs stand by it in a zset, so that those that are due are found.
local MINUTE_MS = 60000

-- The price of a VM's first minutes: an hour of them costs what an hour is priced at, to the micro-dollar.
local function price_of(minutes, hourly)
    local sixtieths = minutes * hourly
    return (sixtieths - sixtieths % 60) / 60
end

-- keys {credits, events, audit, running}
-- meter {prices: {instance type: per hour}, entries: [id of a ledger entry, …], graceMs}; each id is used once
-- Charges for the minutes that have begun, as far as there is credit. Gives whether all of them are paid.
local function meter_vm(keys, vm, meter, type, at)
    local id, instance, user, project, paid_until, minutes =
        unpack(redis.call('HMGET', vm, 'id', 'instanceType', 'userId', 'projectId', 'paidUntil', 'paidMinutes'))
    paid_until, minutes = tonumber(paid_until), tonumber(minutes or 0)
    if paid_until > at then return true end
    local begun = math.floor((at - paid_until) / MINUTE_MS) + 1
    local code, room = room_for(keys, 0, { 'tenant', 'user:' .. user }, at)
    if code ~= 1 then room = 0 end
    local hourly = micros(meter.prices[instance])
    local function price(count) return price_of(minutes + count, hourly) - price_of(minutes, hourly) end
    local paid = begun
    while paid > 0 and price(paid) > room do paid = paid - 1 end

    if paid > 0 then
        local amount, about = price(paid), 'vm:' .. id
        local till = digits(paid_until + paid * MINUTE_MS)
        if amount > 0 then
            move_credits(keys, {
                id = table.remove(meter.entries),
                type = type,
                fields = { 'userId', user, 'vmId', id, 'projectId', project, 'minutes', digits(paid) },
                sums = { 'tenant', 'user:' .. user, about },
                counts = { about .. ':minutes', digits(paid) },
                index = { 'user:' .. user, about },
            }, -amount, at)
        end
        redis.call('HSET', vm, 'paidUntil', till, 'paidMinutes', digits(minutes + paid))
        redis.call('HINCRBY', vm, 'costMicros', digits(amount))
        redis.call('ZADD', keys.running, 'XX', till, id)
    end
    return paid == begun
end

-- Charges a VM that goes on running. The first time that there is not enough credit it is told, with when it will be
-- stopped. Gives since when there is not enough, or nil.
local function meter_running(keys, vm, meter, at)
    local is_paid = meter_vm(keys, vm, meter, 'vm_running', at)
    local id, project, user, out_at = unpack(redis.call('HMGET', vm, 'id', 'projectId', 'userId', 'creditsOutAt'))
    if is_paid then
        redis.call('HDEL', vm, 'creditsOutAt')
        return nil
    end
    if out_at then return tonumber(out_at) end
    redis.call('HSET', vm, 'creditsOutAt', digits(at))
    tell(keys, 'vm.credits_out', { vmId = id, projectId = project, userId = user, stopsAt = at + meter.graceMs }, at)
    return at
end

-- Gives a VM another status, and charges for its running up to now. Gives the event.
local function change_status(keys, vm, to, meter, at)
    local id, from, paid_until = unpack(redis.call('HMGET', vm, 'id', 'status', 'paidUntil'))
    if from == 'running' then
        meter_vm(keys, vm, meter, to == 'terminated' and 'vm_delete' or 'vm_running', at)
        redis.call('ZREM', keys.running, id)
        redis.call('HDEL', vm, 'creditsOutAt')
    end
    local event = become(vm, to, at)
    if to == 'running' then
        -- What is left of a minute that is paid is not paid again.
        local from_now = digits(math.max(at, tonumber(paid_until or 0)))
        redis.call('HSET', vm, 'paidUntil', from_now)
        redis.call('ZADD', keys.running, from_now, id)
        meter_running(keys, vm, meter, at)
    end
    return event
end
