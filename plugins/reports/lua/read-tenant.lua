-- Read what a tenant has come to: each day and month from the last one that the platform is known to have, up to now.
-- Each read has a higher number than those before it, so that of two that are on their way the older one is known.
-- KEYS[1] tenant · KEYS[2] reports of the tenant (hash of `reads`, and `day`: the day that the platform has) · KEYS[3] what
-- the keys of credits begin with · KEYS[4] of usage · KEYS[5] of violations · KEYS[6] of the backups' statistics
-- KEYS[7] complete backups · KEYS[8] users · KEYS[9] running VMs
-- ARGV[1] how many days back it goes at most · ARGV[2] '1' for the platform, of which only violations count
-- Returns {} there is no such tenant, or {number of the read, today as days since the epoch, day before, name, 1 as long as
--         something goes on that moves its sums without a request, {period, {figure, value, …}}, …}
-- @include now
-- @include calendar
local name, status, created, revision = unpack(redis.call('HMGET', KEYS[1], 'name', 'status', 'createdAt', 'revision'))
if not revision then return {} end
local is_platform = ARGV[2] == '1'
local at = now()
local today = math.floor(at / DAY_MS)
local known = tonumber(redis.call('HGET', KEYS[2], 'day'))
local first = math.max(math.min(known or math.floor(created / DAY_MS), today), today - ARGV[1])

local function each_field(key, look)
    local found = redis.call('HGETALL', key)
    for n = 1, #found, 2 do look(found[n], tonumber(found[n + 1])) end
end

local function new_figures()
    local figures = {}
    return figures, function(figure, value) figures[figure] = (figures[figure] or 0) + value end
end

local function flat(figures)
    local list = {}
    for figure, value in pairs(figures) do
        list[#list + 1] = figure
        list[#list + 1] = string.format('%.0f', value)
    end
    return list
end

-- What the ledger has as taken is revenue; what was given back is told by itself.
local function add_credits(date, unit, add)
    each_field(KEYS[3] .. ':' .. unit .. ':' .. date, function(field, value)
        if field == 'tenant' then add('revenue', value) end
        if field:sub(1, 5) == 'type:' then add(field, -value) end
    end)
end

-- Models of tenants' own servers count as one: what they are called is without bound.
local function add_usage(date, add)
    each_field(KEYS[4] .. ':' .. date, function(field, value)
        local model, what = field:match('^(.*):([^:]+)$')
        if model:match('^tun_%w+/') or model:match('^proxy_%w+/') then model = 'relayed' end
        add(what, value)
        add('model:' .. model .. ':' .. what, value)
    end)
end

local function add_backups(date, add)
    each_field(KEYS[6] .. ':' .. date, function(field, value) add('backups:' .. field, value) end)
end

local number = redis.call('HINCRBY', KEYS[2], 'reads', 1)
local is_busy = redis.call('EXISTS', KEYS[9], KEYS[3] .. ':holds') > 0 and 1 or 0
local reply = { number, today, known or -1, name, is_busy }

local function give(period, figures)
    local list = flat(figures)
    if #list > 0 then reply[#reply + 1] = { period, list } end
end

local months = {}
for day = first, today do
    local date = date_of(day)
    months[date:sub(1, 6)] = true
    local figures, add = new_figures()
    each_field(KEYS[5] .. ':' .. string.format('%d', day), function(kind, count)
        add('violations', count)
        add('violations:' .. kind, count)
    end)
    if not is_platform then
        add_credits(date, 'day', add)
        add_usage(date, add)
        add_backups(date, add)
    end
    give('day:' .. date, figures)
end
if is_platform then return reply end

for month in pairs(months) do
    local figures, add = new_figures()
    add_credits(month, 'month', add)
    add_usage(month, add)
    add_backups(month, add)
    give('month:' .. month, figures)
end

local figures, add = new_figures()
add('tenants:' .. status, 1)
add('users', redis.call('ZCARD', KEYS[8]))
add('backups', redis.call('ZCARD', KEYS[7]))
add('backupBytes', tonumber(redis.call('HGET', KEYS[6], 'bytes') or 0))
add('backupsFailed', redis.call('ZCOUNT', KEYS[6] .. ':failed', string.format('(%d', at - DAY_MS), '+inf'))
give('now', figures)
return reply
