-- Give back what an entry of the ledger has charged, or a part of it: all together never more than that.
-- KEYS[1] credits · KEYS[2] events · KEYS[3] audit
-- ARGV[1] JSON {id: of the operation, recordId, amount?: all that is left unless given, entry, events, audit}
-- Returns {1, the entry} done, {0, its entry} this operation has been done before, {-1} no such entry,
--         {-2, what may be given back of it} it is no charge, or has not that much left
-- @include now
-- @include calendar
-- @include outbox
-- @include credits
-- @include find-entry
local keys = { credits = KEYS[1], events = KEYS[2], audit = KEYS[3] }
local refund = cjson.decode(ARGV[1])
local at, operation, refunded = now(), 'operation:' .. refund.id, KEYS[1] .. ':refunded'
local before = find_entry(keys, operation)
if before then return { 0, before } end
local charge = find_entry(keys, 'record:' .. refund.recordId)
if not charge then return { -1 } end
local charged = {}
for n = 1, #charge[2], 2 do charged[charge[2][n]] = charge[2][n + 1] end

local left = 0
if not NO_CHARGE[charged.type] then
    left = -micros(charged.amount) - micros(redis.call('HGET', refunded, refund.recordId))
end
local amount = refund.amount and micros(refund.amount) or left
if amount > left or left <= 0 then return { -2, digits(left) } end

-- It is found where the charge is.
local entry = refund.entry
for _, name in ipairs({ 'userId', 'keyId', 'modelId', 'threadId', 'messageId', 'vmId', 'projectId', 'tunnelId' }) do
    if charged[name] then
        table.insert(entry.fields, name)
        table.insert(entry.fields, charged[name])
    end
end
for about, name in pairs({ user = 'userId', thread = 'threadId', vm = 'vmId' }) do
    if charged[name] then table.insert(entry.index, about .. ':' .. charged[name]) end
end
table.insert(entry.index, operation)
redis.call('HINCRBY', refunded, refund.recordId, digits(amount))
move_credits(keys, entry, amount, at)
append_entries(KEYS[2], KEYS[3], refund, at)
return { 1, find_entry(keys, operation) }
