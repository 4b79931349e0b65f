-- Holds on credits: what a call may cost is set aside before it is made, and settled when it has ended. Needs `calendar`,
-- `outbox`, `credits` and `lease-time`.
--   <credits>:holds      zset  holds by when they expire unless their process renews them
--   <credits>:hold:<id>  hash  amount, used (noted while the call runs), entry (JSON, for a settlement of the sweeper),
--                              who (JSON), charged: what the sweeper has taken
local SWEPT_LIFETIME = 7 * DAY_MS

local function add_held(keys, who, amount)
    local held = keys.credits .. ':held'
    for _, name in ipairs(who) do
        -- Users and API keys come and go: nothing is left of one that has no holds.
        if redis.call('HINCRBY', held, name, digits(amount)) == 0 then redis.call('HDEL', held, name) end
    end
end

local function expire_at(lease)
    return digits(lease_time() + lease)
end

-- Takes a hold: as much of `want` as there is, if it is at least `least`. What may cost nothing is never refused.
-- hold {id, want, least, lease (ms), who, entry}
-- Returns 1, what is held, what could be had besides; {0} it has been settled; or as `room_for`
local function take_hold(keys, hold, at)
    local place = keys.credits .. ':hold:' .. hold.id
    if is_done(keys, hold.id) then return 0 end
    local known = redis.call('HGET', place, 'amount')
    if known then return 1, micros(known), 0 end
    local least = micros(hold.least)
    local code, room = room_for(keys, least, hold.who, at)
    if code ~= 1 and least > 0 then return code, room end
    if code ~= 1 then room = 0 end
    local amount = math.min(micros(hold.want), room)
    redis.call('HSET', place, 'amount', digits(amount), 'used', '0', 'entry', cjson.encode(hold.entry),
        'who', cjson.encode(hold.who))
    redis.call('ZADD', keys.credits .. ':holds', expire_at(hold.lease), hold.id)
    add_held(keys, hold.who, amount)
    return 1, amount, room - amount
end

-- Renews a hold, notes what its call has used so far, and raises it towards `target` by what there is.
-- keep {id, lease, used?, target?}
-- Returns 1, what is held, what could be had besides; 0 it is not there any more
local function keep_hold(keys, keep, at)
    local place = keys.credits .. ':hold:' .. keep.id
    local amount, used, who = unpack(redis.call('HMGET', place, 'amount', 'used', 'who'))
    if not amount then return 0 end
    amount = micros(amount)
    redis.call('ZADD', keys.credits .. ':holds', 'XX', expire_at(keep.lease), keep.id)
    if keep.used and micros(keep.used) > micros(used) then redis.call('HSET', place, 'used', keep.used) end
    if not keep.target then return 1, amount, 0 end
    who = cjson.decode(who)
    local code, room = room_for(keys, 0, who, at)
    if code ~= 1 then room = 0 end
    local more = math.max(0, math.min(micros(keep.target) - amount, room))
    if more > 0 then
        redis.call('HSET', place, 'amount', digits(amount + more))
        add_held(keys, who, more)
    end
    return 1, amount + more, room - more
end

local function release_hold(keys, id, amount, who)
    redis.call('ZREM', keys.credits .. ':holds', id)
    add_held(keys, cjson.decode(who), -micros(amount))
end

-- Counts without those of calls: the sweeper's entry has counted this one.
local function without_calls(counts)
    local others = {}
    for n = 1, #counts, 2 do
        if not counts[n]:find(':calls$') then
            others[#others + 1] = counts[n]
            others[#others + 1] = counts[n + 1]
        end
    end
    return others
end

-- Charges what a call has cost and gives the rest of its hold back. What the hold does not cover is taken from what is
-- free; what is not there either is not charged, and the entry says so.
-- settlement {id: of the hold, cost, entry}
-- Returns 1 settled, what was charged; 0 it has been before
local function settle_hold(keys, settlement, at)
    if is_done(keys, settlement.id) then return 0, 0 end
    local place = keys.credits .. ':hold:' .. settlement.id
    local amount, who, charged = unpack(redis.call('HMGET', place, 'amount', 'who', 'charged'))
    if amount then release_hold(keys, settlement.id, amount, who) end
    redis.call('UNLINK', place)
    remember(keys, settlement.id, at)
    -- The sweeper may have been there before, if the process was held up.
    local owed = micros(settlement.cost) - micros(charged)
    local paid = math.max(0, math.min(owed, (free_credits(keys))))
    local entry = settlement.entry
    if micros(charged) > 0 then entry.counts = without_calls(entry.counts) end
    if paid < owed then
        entry.fields[#entry.fields + 1] = 'unpaid'
        entry.fields[#entry.fields + 1] = digits(owed - paid)
    end
    if paid > 0 then move_credits(keys, entry, -paid, at) end
    return 1, paid
end

-- Settles holds whose process does not renew them, by what it has noted.
-- Returns how many there were, and what was charged for them
local function sweep_holds(keys, count, at)
    local expired = redis.call('ZRANGEBYSCORE', keys.credits .. ':holds', '-inf', digits(lease_time()), 'LIMIT', 0, count)
    local charged = 0
    for _, id in ipairs(expired) do
        local place = keys.credits .. ':hold:' .. id
        local amount, used, entry, who = unpack(redis.call('HMGET', place, 'amount', 'used', 'entry', 'who'))
        release_hold(keys, id, amount, who)
        local paid = math.max(0, math.min(micros(used), (free_credits(keys))))
        -- Its process may still live, and know better what there is to pay.
        redis.call('HDEL', place, 'amount', 'used', 'entry', 'who')
        redis.call('HSET', place, 'charged', digits(paid))
        redis.call('PEXPIRE', place, SWEPT_LIFETIME)
        if paid > 0 then
            entry = cjson.decode(entry)
            entry.type = 'hold_settled'
            move_credits(keys, entry, -paid, at)
            charged = charged + paid
        end
    end
    return #expired, charged
end
