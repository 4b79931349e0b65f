-- Credits of a tenant: the balance and the ledger whose sum it is, in whole micro-dollars. Needs `calendar`, `outbox`.
-- keys {credits, events, audit}; all else of the credits stands beside the first, in the same slot:
--   <credits>             hash    balance, spent, at (time of the last entry), month (yyyymm that is open), opening, invoices
--   <credits>:ledger      stream  an entry a movement; nothing but its time is in its id
--   <credits>:index       zset    entries by what they are about: `<about>:<entry>`, all of score 0
--   <credits>:refunded    hash    what was given back of an entry, by its id
--   <credits>:operations  zset    operations of the last days: each moves money once
--   <credits>:held        hash    what holds have together: `tenant`, `user:<id>`, `key:<id>`
--   <credits>:limits      hash    the most that a month may cost: as `held`
--   <credits>:hour|day|month:<date>  hash  what was charged: by `tenant`, `user:<id>`, `key:<id>`, `model:<id>` …, by
--                                     `type:<type>` as the ledger has it, and counts
--   <credits>:invoice:<month>        hash  number, opening, closing, issuedAt, tenantName of a month that is over; with
--                                     the month's sums, which nobody changes any more
--   <credits>:invoices    zset    the months that have an invoice, by themselves
-- Amounts come as strings: a number that cjson writes keeps 14 digits only.
local OPERATION_LIFETIME = 7 * DAY_MS
local SUM_LIFETIME = { hour = 9 * 86400, day = 400 * 86400 }
local MOST_MICROS = 9007199254740991
local LOW_CREDIT = '1000000'
local NO_CHARGE = {
    credit_add = 'billing.credits_added', credit_deduct = 'billing.credits_deducted', refund = 'billing.refunded',
}

local function micros(text)
    local amount = tonumber(text or 0)
    if not amount or amount % 1 ~= 0 or amount > MOST_MICROS or amount < -MOST_MICROS then
        error('Not an amount in whole micro-dollars: ' .. tostring(text))
    end
    return amount
end

local function digits(amount)
    return string.format('%.0f', amount)
end

local function is_done(keys, operation)
    return redis.call('ZSCORE', keys.credits .. ':operations', operation) ~= false
end

local function remember(keys, operation, at)
    local operations = keys.credits .. ':operations'
    redis.call('ZREMRANGEBYSCORE', operations, '-inf', digits(at - OPERATION_LIFETIME))
    redis.call('ZADD', operations, digits(at), operation)
end

-- Amounts in `data`, which are named …Micros, come as `digits` gives them, and go out as numbers.
local function tell(keys, type, data, at)
    local text = cjson.encode(data):gsub('("%a+Micros":)"(%-?%d+)"', '%1%2')
    append_entries(keys.events, keys.audit, { events = { { 'type', type, 'data', text } }, audit = {} }, at)
end

-- Issues the invoice of the month that the credits were last at, when it is over. Time in the ledger only goes forward:
-- no entry comes into that month any more.
local function close_month(keys, at)
    local this = date_at(at):sub(1, 6)
    local month, opening, balance = unpack(redis.call('HMGET', keys.credits, 'month', 'opening', 'balance'))
    if month and month >= this then return end
    if month and redis.call('EXISTS', keys.credits .. ':month:' .. month) == 1 then
        local number = redis.call('HINCRBY', keys.credits, 'invoices', 1)
        local name = redis.call('HGET', keys.credits:gsub('credits$', 'info'), 'name') or ''
        redis.call('HSET', keys.credits .. ':invoice:' .. month, 'number', number, 'opening', opening,
            'closing', balance, 'issuedAt', digits(at), 'tenantName', name)
        redis.call('ZADD', keys.credits .. ':invoices', month, month)
        tell(keys, 'billing.invoice_issued', { month = month, number = number }, at)
    end
    redis.call('HSET', keys.credits, 'month', this, 'opening', balance or '0')
end

-- Adds up what an entry says, by hour, day and month.
local function sum_up(keys, entry, amount, at)
    local date = date_at(at)
    local hour = string.format('%02d', math.floor(at % DAY_MS / 3600000))
    for unit, name in pairs({ hour = date .. hour, day = date, month = date:sub(1, 6) }) do
        local sums = keys.credits .. ':' .. unit .. ':' .. name
        redis.call('HINCRBY', sums, 'type:' .. entry.type, digits(amount))
        if not NO_CHARGE[entry.type] then
            for _, about in ipairs(entry.sums) do redis.call('HINCRBY', sums, about, digits(-amount)) end
            for n = 1, #entry.counts, 2 do redis.call('HINCRBY', sums, entry.counts[n], entry.counts[n + 1]) end
        end
        if SUM_LIFETIME[unit] then redis.call('EXPIRE', sums, SUM_LIFETIME[unit]) end
    end
end

-- Tells once when the balance falls below what counts as low, and again after it was above.
local function watch_low_credit(keys, balance, at)
    local low, told = unpack(redis.call('HMGET', keys.credits, 'lowCredit', 'isLow'))
    local is_low = balance < micros(low or LOW_CREDIT)
    if is_low == (told == '1') then return end
    redis.call('HSET', keys.credits, 'isLow', is_low and '1' or '0')
    if not is_low then return end
    tell(keys, 'billing.low_credit', { balanceMicros = digits(balance), lowCreditMicros = low or LOW_CREDIT }, at)
end

-- Moves money: balance, ledger and sums in one step. Whether there is enough, and whether the operation has been done, is
-- the caller's to see.
-- entry {id, type, fields: [name, value, …], sums: [about, …], counts: [name, amount, …], index: [about, …]}
-- amount: negative when it is taken
local function move_credits(keys, entry, amount, at)
    local last = tonumber(redis.call('HGET', keys.credits, 'at') or 0)
    if last > at then at = last end
    close_month(keys, at)
    local balance = micros(redis.call('HINCRBY', keys.credits, 'balance', digits(amount)))
    redis.call('HSET', keys.credits, 'at', digits(at))
    if not NO_CHARGE[entry.type] then redis.call('HINCRBY', keys.credits, 'spent', digits(-amount)) end
    local id = redis.call('XADD', keys.credits .. ':ledger', digits(at) .. '-*', 'id', entry.id, 'type', entry.type,
        'amount', digits(amount), 'balance', digits(balance), unpack(entry.fields))
    local time, sequence = id:match('^(%d+)-(%d+)$')
    local member = string.format(':%s-%05d', time, sequence)
    redis.call('ZADD', keys.credits .. ':index', 0, 'record:' .. entry.id .. member, 0, 'type:' .. entry.type .. member)
    for _, about in ipairs(entry.index) do redis.call('ZADD', keys.credits .. ':index', 0, about .. member) end
    sum_up(keys, entry, amount, at)
    local told = NO_CHARGE[entry.type]
    if told then tell(keys, told, { recordId = entry.id, amountMicros = digits(amount) }, at) end
    watch_low_credit(keys, balance, at)
end

-- The least that the limits of the month leave to any of `who`, and which of them that is; nil without a limit.
local function month_room(keys, who, at)
    local limits = redis.call('HMGET', keys.credits .. ':limits', unpack(who))
    local room, tightest
    local spent, held
    for n, name in ipairs(who) do
        if limits[n] then
            spent = spent or redis.call('HMGET', keys.credits .. ':month:' .. date_at(at):sub(1, 6), unpack(who))
            held = held or redis.call('HMGET', keys.credits .. ':held', unpack(who))
            local left = micros(limits[n]) - micros(spent[n]) - micros(held[n])
            if not room or left < room then room, tightest = left, name end
        end
    end
    return room, tightest
end

-- What is neither spent nor held, and the balance.
local function free_credits(keys)
    local balance = micros(redis.call('HGET', keys.credits, 'balance'))
    return balance - micros(redis.call('HGET', keys.credits .. ':held', 'tenant')), balance
end

-- Whether `least` can be had: 1, -1 not enough, -2 not enough as long as others hold it, -3 a limit of the month; then
-- what can be had, or for -3 whose limit it is.
local function room_for(keys, least, who, at)
    local free, balance = free_credits(keys)
    if free < least then return balance >= least and -2 or -1, free end
    local room, tightest = month_room(keys, who, at)
    if room and room < least then return -3, tightest end
    return 1, (room and room < free) and room or free
end

-- Takes an amount at once, if it is there.
-- charge {id: of the operation, amount, least?: what has to be there, entry, who: ['tenant', 'user:<id>', …]}
-- Returns 1 charged, 0 this operation has been done before; or as `room_for`: its code, and what goes with it
local function charge_credits(keys, charge, at)
    if is_done(keys, charge.id) then return 0 end
    local amount = micros(charge.amount)
    local code, room = room_for(keys, math.max(amount, micros(charge.least)), charge.who, at)
    if code ~= 1 then return code, room end
    remember(keys, charge.id, at)
    if amount > 0 then move_credits(keys, charge.entry, -amount, at) end
    return 1
end
