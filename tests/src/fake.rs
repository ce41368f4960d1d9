//! A foreign world in memory: things, places, what lies in them, sets, data. It counts calls and fails where a test says.

use engine::address::{Address, Mode};
use engine::port::{Asked, BoxFuture, Connected, Done, Failure, Provider, ProviderMaker, Registry, Request};
use engine::question::{Answer, Ask, Question};
use engine::schema::{Attribute, Claim, Comparison, Kind, Member, Planned, Problem, ProviderSchema, Schema, Setting, compare};
use engine::state::Connect;
use engine::value::{Entry, Type, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::task::Poll;

/// The fake world. Clones share it. With a label, which a `provider` block gives it, its calls and questions end with that.
#[derive(Debug, Clone, Default)]
pub struct Fake(Arc<Mutex<World>>, Option<Arc<str>>);

#[derive(Debug, Default)]
struct World {
    /// What exists, by place and identity.
    things: BTreeMap<String, Value>,
    /// Effects in order: `create fake_thing.a`.
    calls: Vec<String>,
    /// Questions in order of arrival, per batch.
    asked: Vec<Vec<String>>,
    /// Addresses whose effects fail.
    failing: BTreeSet<String>,
    /// Places that do not answer.
    unreachable: BTreeSet<String>,
    /// Whoever asks a data source of such a name is told that there is no data plane.
    still: BTreeSet<String>,
    made: u64,
    /// Effects and waits under way, and the most there have been at once.
    effects: Crowd,
    waits: Crowd,
}

#[derive(Debug, Default)]
struct Crowd {
    now: usize,
    most: usize,
}

impl Fake {
    /// A registry of the fake kinds alone.
    pub fn registry(&self) -> Registry {
        let mut registry = Registry::default();
        let maker: Arc<dyn ProviderMaker> = Arc::new(self.clone());
        registry.add_configurable(&maker);
        registry
    }

    /// The effects so far, in order.
    pub fn calls(&self) -> Vec<String> {
        self.0.lock().unwrap().calls.clone()
    }

    /// Forgets the effects so far.
    pub fn clear_calls(&self) {
        self.0.lock().unwrap().calls.clear();
    }

    /// The questions so far, batch by batch.
    pub fn asked(&self) -> Vec<Vec<String>> {
        self.0.lock().unwrap().asked.clone()
    }

    /// What exists, by `place/kind/name`.
    pub fn things(&self) -> BTreeMap<String, Value> {
        self.0.lock().unwrap().things.clone()
    }

    /// Makes, changes or (with nothing) removes a thing behind everybody's back.
    pub fn meddle(&self, key: &str, value: Option<Value>) {
        let things = &mut self.0.lock().unwrap().things;
        match value {
            Some(value) => drop(things.insert(key.to_owned(), value)),
            None => drop(things.remove(key)),
        }
    }

    /// Makes the effects of an address (`fake_thing.a`), or one of them (`delete fake_thing.a`), fail, or not any more.
    pub fn fail(&self, address: &str, fails: Fails) {
        let failing = &mut self.0.lock().unwrap().failing;
        match fails {
            Fails::Always => failing.insert(address.to_owned()),
            Fails::Never => failing.remove(address),
        };
    }

    /// Makes a place silent: an address, or `data/name` for whoever asks a data source of that name; `read address` is one thing alone. An update of the address lets it
    /// answer again.
    pub fn silence(&self, place: &str) {
        self.0.lock().unwrap().unreachable.insert(place.to_owned());
    }

    /// Takes away what would carry the traffic that a data source of this name asks about.
    pub fn still(&self, name: &str) {
        self.0.lock().unwrap().still.insert(name.to_owned());
    }

    /// Brings it back.
    pub fn moving(&self, name: &str) {
        self.0.lock().unwrap().still.remove(name);
    }

    /// Lets a silent place answer again.
    pub fn answer_again(&self, place: &str) {
        self.0.lock().unwrap().unreachable.remove(place);
    }

    /// The most effects, and the most waits, that were under way at once.
    pub fn crowds(&self) -> (usize, usize) {
        let world = self.0.lock().unwrap();
        (world.effects.most, world.waits.most)
    }

    /// Does something that takes a while: others get their turn before it ends.
    fn slowly<'a, T: Send + 'a>(&'a self, crowd: fn(&mut World) -> &mut Crowd, act: impl FnOnce() -> T + Send + 'a) -> BoxFuture<'a, T> {
        Box::pin(async move {
            {
                let world = &mut *self.0.lock().unwrap();
                let crowd = crowd(world);
                crowd.now += 1;
                crowd.most = crowd.most.max(crowd.now);
            }
            let mut turns = 3;
            std::future::poll_fn(|context| {
                turns -= 1;
                context.waker().wake_by_ref();
                if turns == 0 { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            crowd(&mut self.0.lock().unwrap()).now -= 1;
            act()
        })
    }

    fn labelled(&self, text: &str) -> String {
        self.1.as_ref().map_or_else(|| text.to_owned(), |label| format!("{text} as {label}"))
    }

    fn effect(&self, verb: &str, request: &Request) -> Result<(), Failure> {
        let world = &mut *self.0.lock().unwrap();
        let address = request.address.to_string();
        world.calls.push(self.labelled(&format!("{verb} {address}")));
        if world.failing.contains(&address) || world.failing.contains(&format!("{verb} {address}")) {
            return Err(Failure::new("it failed", "because the test says so"));
        }
        if let (Some(led_to), Some(expected)) =
            (context(request.place.as_ref()), request.place.as_ref().and_then(|place| place.uid.as_deref()))
            && led_to != expected
        {
            return Err(Failure::new("another cluster", format!("`{led_to}` and not `{expected}`")));
        }
        Ok(())
    }

    fn put(&self, request: &Request) -> Done {
        let world = &mut *self.0.lock().unwrap();
        let key = key(request.place.as_ref(), &request.kind, &request.arguments);
        let known = world.things.get(&key).and_then(|thing| thing.text("uid")).map(str::to_owned);
        let uid = known.unwrap_or_else(|| {
            world.made += 1;
            format!("uid-{}", world.made)
        });
        let mut entries: Vec<(Arc<str>, Value)> =
            request.arguments.entries().iter().map(|entry| (entry.key.clone(), entry.value.clone())).collect();
        entries.push(("uid".into(), Value::string(uid.as_str())));
        if matches!(&*request.kind, "fake_place" | "fake_node") {
            entries.push(("connection".into(), Value::object([("to", Value::string(uid.as_str()))]).sensitive()));
        }
        if &*request.kind == "fake_set" {
            // What a set finds out, it finds out from its members.
            let within = request.place.as_ref().map_or_else(String::new, |place| format!("{}/fake_inner/", place.address));
            let members = world.things.iter().filter(|(key, _)| key.starts_with(&within));
            let uids: Vec<_> = members.filter_map(|(_, thing)| thing.text("uid")).collect();
            entries.push(("token".into(), Value::string(format!("token-{}", uids.join("-"))).sensitive()));
        } else if !matches!(&*request.kind, "fake_place" | "fake_node") {
            entries.push(("token".into(), Value::string(format!("token-{uid}")).sensitive()));
        }
        let attributes = Value::object(entries);
        world.things.insert(key, attributes.clone());
        Done { uid: Some(uid.into()), ..Done::new(attributes) }
    }

    fn answer_one(&self, asked: &Asked) -> Answer {
        let world = self.0.lock().unwrap();
        let silent = |place: Option<&Address>| place.is_some_and(|place| world.unreachable.contains(&place.to_string()));
        let found = |key: &str| world.things.get(key).cloned().map_or(Answer::Absent, Answer::Present);
        let source = |arguments: &Value| {
            if arguments.text("name").is_some_and(|name| world.still.contains(name)) {
                return Answer::no_data_plane("the test says so");
            }
            let name = format!("data/{}", arguments.text("name").unwrap_or_default());
            if world.unreachable.contains(&name) { Answer::Unreachable("the test says so".into()) } else { found(&name) }
        };
        match &asked.question.ask {
            Ask::Place { address, .. } if silent(Some(address)) => Answer::Unreachable("the test says so".into()),
            Ask::Place { record: Some(record), .. } => {
                let around = record.place.as_ref().map_or_else(String::new, |place| format!("{place}/"));
                found(&format!("{around}{}", key(None, &record.kind, &record.attributes)))
            }
            Ask::Place { place, .. } => match &place.connect {
                Connect::Source { arguments, .. } => source(arguments),
                Connect::Record => Answer::Absent,
            },
            Ask::Read { address, .. } if world.unreachable.contains(&format!("read {address}")) => {
                Answer::Unreachable("the test says so".into())
            }
            Ask::Read { record, .. } if silent(record.place.as_ref()) => Answer::Unreachable("the test says so".into()),
            Ask::Read { record, .. } => found(&key(asked.place.as_ref(), &record.kind, &record.attributes)),
            Ask::Data { arguments, .. } => source(arguments),
            Ask::Import(proposal) if silent(proposal.place.as_ref()) => Answer::Unreachable("the test says so".into()),
            Ask::Import(proposal) => found(&key(asked.place.as_ref(), &proposal.kind, &proposal.arguments)),
            Ask::Obstacles(proposal) => found(&format!("obstacles/{}", proposal.arguments.text("name").unwrap_or_default())),
            Ask::Users { address, .. } if world.unreachable.contains(&format!("users {address}")) => {
                Answer::Unreachable("the test says so".into())
            }
            Ask::Users { record, .. } => found(&format!("users/{}", record.attributes.text("name").unwrap_or_default())),
            Ask::Exists(_) | Ask::Describe { .. } | Ask::Preview(_) | Ask::Render { .. } | Ask::File { .. } | Ask::Files { .. } => {
                Answer::Absent
            }
        }
    }
}

/// Whether effects of an address fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fails {
    /// From now on.
    Always,
    /// Not any more.
    Never,
}

/// What a place of `fake_context` leads to; nothing for other places, which are known by their addresses.
fn context(place: Option<&Connected>) -> Option<&str> {
    place.filter(|place| &*place.address.kind == "fake_context").and_then(|place| place.connection.text("to"))
}

fn key(place: Option<&Connected>, kind: &str, attributes: &Value) -> String {
    let name = attributes.text("name").unwrap_or_default();
    match (context(place), place) {
        (Some(led_to), _) => format!("{led_to}/{kind}/{name}"),
        (None, Some(place)) => format!("{}/{kind}/{name}", place.address),
        (None, None) => format!("{kind}/{name}"),
    }
}

impl Provider for Fake {
    fn resources(&self) -> Vec<Arc<dyn Kind>> {
        vec![
            Arc::new(FakeKind(assembly())),
            Arc::new(FakeKind(grown())),
            Arc::new(FakeKind(thing())),
            Arc::new(FakeKind(place())),
            Arc::new(FakeKind(node())),
            Arc::new(FakeKind(inner())),
            Arc::new(FakeKind(set())),
        ]
    }

    fn data_sources(&self) -> Vec<Arc<dyn Kind>> {
        vec![Arc::new(FakeKind(data())), Arc::new(FakeKind(context_schema()))]
    }

    fn answer(&self, asked: Vec<Asked>) -> BoxFuture<'_, Vec<(Question, Answer)>> {
        let keys = asked.iter().map(|asked| self.labelled(asked.question.key())).collect();
        self.0.lock().unwrap().asked.push(keys);
        let answers = asked.into_iter().map(|asked| (asked.question.clone(), self.answer_one(&asked))).collect();
        Box::pin(std::future::ready(answers))
    }

    fn create(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>> {
        self.slowly(|world| &mut world.effects, move || self.effect("create", &request).map(|()| self.put(&request)))
    }

    fn settle(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>> {
        self.slowly(|world| &mut world.waits, move || self.effect("settle", &request).map(|()| self.put(&request)))
    }

    fn update(&self, request: Request) -> BoxFuture<'_, Result<Done, Failure>> {
        self.slowly(
            |world| &mut world.effects,
            move || {
                self.effect("update", &request)?;
                self.answer_again(&request.address.to_string());
                Ok(self.put(&request))
            },
        )
    }

    fn delete(&self, request: Request) -> BoxFuture<'_, Result<(), Failure>> {
        let result = self.effect("delete", &request);
        if result.is_ok() {
            let key = key(request.place.as_ref(), &request.kind, &request.arguments);
            let things = &mut self.0.lock().unwrap().things;
            things.remove(&key);
            // What lies in a place dies with it.
            things.retain(|other, _| !other.starts_with(&format!("{}/", request.address)));
        }
        Box::pin(std::future::ready(result))
    }
}

impl ProviderMaker for Fake {
    fn schema(&self) -> ProviderSchema {
        let label = Setting::own(Attribute::optional("label", Type::String, ""));
        let value = Setting::supplying(Attribute::optional("value", Type::Any, ""), &[(Mode::Managed, "fake_thing")]);
        ProviderSchema { name: "fake", doc: "", settings: vec![label, value] }
    }

    fn usual(&self) -> Vec<Arc<dyn Provider>> {
        vec![Arc::new(self.clone())]
    }

    fn configured(&self, settings: &Value) -> Result<Vec<Arc<dyn Provider>>, Problem> {
        match settings.text("label") {
            Some("") => Err(Problem::with("label", "no label", "`label` is empty")),
            label => Ok(vec![Arc::new(Self(self.0.clone(), label.map(Arc::from)))]),
        }
    }
}

struct FakeKind(Schema);

impl Kind for FakeKind {
    fn schema(&self) -> &Schema {
        &self.0
    }

    fn identity(&self, arguments: &Value) -> Option<String> {
        Some(format!("{}/{}", self.0.kind, arguments.text("name")?))
    }

    /// Things have their names as ids, and nothing else is imported.
    fn import(&self, id: &str, arguments: &Value) -> Result<(), Problem> {
        match (self.0.kind, arguments.text("name")) {
            ("fake_thing" | "fake_inner", Some(name)) if name == id => Ok(()),
            ("fake_thing" | "fake_inner", _) => Err(Problem::new("id of another object", "it has another name")),
            _ => Err(Problem::new("not importable", "it is no thing")),
        }
    }

    /// Whatever changes to the value `made anew` is replaced, and what is made with the value `never said` leaves open what its uid will be.
    fn planned(&self, asked: Comparison<'_>) -> Planned {
        let value = asked.desired.text("value");
        match compare(&self.0, asked) {
            Planned::Update { attributes, changed, .. } if value == Some("made anew") => Planned::Replace { attributes, because: changed },
            Planned::Create(attributes) if value == Some("never said") => {
                let with = |entry: &Entry| {
                    (entry.key.clone(), if &*entry.key == "uid" { Value::pending(Type::String) } else { entry.value.clone() })
                };
                Planned::Create(Value::object(attributes.entries().iter().map(with)))
            }
            other => other,
        }
    }

    fn settles(&self, arguments: &Value) -> bool {
        arguments.get("slow").and_then(Value::as_bool) == Some(true)
    }

    /// What has a value that begins with `claims` has to do with a machine: what stands in its way is `obstacles/name`.
    fn claims(&self, arguments: &Value) -> Option<Vec<Claim>> {
        arguments.text("value")?.starts_with("claims").then(Vec::new)
    }

    /// What has a value that begins with `used` may have users: `users/name`.
    fn has_users(&self, attributes: &Value) -> bool {
        attributes.text("value").is_some_and(|value| value.starts_with("used"))
    }

    /// What follows `requires ` in its value.
    fn requires(&self, arguments: &Value) -> Vec<String> {
        let required = arguments.text("value").and_then(|value| value.strip_prefix("requires "));
        required.map(str::to_owned).into_iter().collect()
    }

    fn upgrade(&self, version: u32, attributes: Value) -> Result<Value, Problem> {
        if self.0.kind != "fake_grown" || version != 2 {
            return Err(Problem::new("too old", format!("version {version} was before all that is known")));
        }
        let renamed = |key: &Arc<str>| if &**key == "label" { "name".into() } else { key.clone() };
        Ok(Value::object(attributes.entries().iter().map(|entry| (renamed(&entry.key), entry.value.clone()))))
    }

    fn members(&self, arguments: &Value) -> Option<Result<Vec<Member>, Problem>> {
        if self.0.kind != "fake_set" {
            return None;
        }
        let names: Vec<&str> = arguments.get("names")?.items().iter().filter_map(Value::as_str).collect();
        let null = Value::null();
        let cluster = arguments.get("cluster").unwrap_or(&null);
        let value = arguments.get("value").unwrap_or(&null);
        let members = names.iter().enumerate().map(|(at, name)| Member {
            key: format!("Thing/{name}"),
            kind: if value.as_str() == Some("strange") { "fake_stranger" } else { "fake_inner" },
            arguments: Value::object([
                ("cluster", cluster.clone()),
                ("name", Value::string(*name)),
                ("value", value.clone()),
                ("slow", Value::bool(false)),
            ]),
            after: match names[..at].last() {
                Some(before) => vec![format!("Thing/{before}")],
                None if value.as_str() == Some("circular") => names.last().map(|last| format!("Thing/{last}")).into_iter().collect(),
                None => Vec::new(),
            },
        });
        Some(Ok(members.collect()))
    }
}

fn schema(kind: &'static str, place: Option<&'static str>, attributes: Vec<Attribute>) -> Schema {
    Schema { kind, doc: "", version: 1, attributes, classes: &[], place, outside: true, settles: false }
}

fn common(mut more: Vec<Attribute>) -> Vec<Attribute> {
    more.push(Attribute::required("name", Type::String, "").replaces());
    more.push(Attribute::optional("value", Type::Any, ""));
    more.push(Attribute::optional("slow", Type::Bool, "").default(Value::bool(false)));
    more.push(Attribute::computed("uid", Type::String, ""));
    more.push(Attribute::computed("token", Type::String, "").sensitive());
    more
}

fn thing() -> Schema {
    schema("fake_thing", None, common(Vec::new()))
}

/// A thing with attributes that blocks may give.
fn assembly() -> Schema {
    let screws = Type::list(Type::object([("length", Type::Number, false)]));
    let part = || Type::object([("color", Type::String, false), ("weight", Type::Number, true), ("screw", screws.clone(), true)]);
    let attributes = vec![
        Attribute::optional("case", part(), ""),
        Attribute::optional("part", Type::list(part()), ""),
        Attribute::optional("named", Type::map(part()), ""),
    ];
    schema("fake_assembly", None, common(attributes))
}

/// A thing whose `name` was called `label` in version 2.
fn grown() -> Schema {
    Schema { version: 3, ..schema("fake_grown", None, common(Vec::new())) }
}

fn place() -> Schema {
    let attributes = vec![
        Attribute::required("name", Type::String, "").replaces(),
        Attribute::optional("value", Type::Any, ""),
        Attribute::computed("uid", Type::String, ""),
        Attribute::computed("connection", Type::Any, "").sensitive(),
    ];
    Schema { classes: &["cluster"], ..schema("fake_place", None, attributes) }
}

/// A place within a place.
fn node() -> Schema {
    let cluster = Attribute::required("cluster", Type::Reference("cluster"), "").replaces();
    let attributes = [vec![cluster], place().attributes].concat();
    Schema { classes: &["cluster"], ..schema("fake_node", Some("cluster"), attributes) }
}

fn inner() -> Schema {
    schema("fake_inner", Some("cluster"), common(vec![Attribute::required("cluster", Type::Reference("cluster"), "").replaces()]))
}

fn set() -> Schema {
    let attributes = vec![
        Attribute::required("cluster", Type::Reference("cluster"), "").replaces(),
        Attribute::required("names", Type::list(Type::String), ""),
        Attribute::optional("value", Type::Any, ""),
        Attribute::optional("slow", Type::Bool, "").default(Value::bool(false)),
        Attribute::computed("token", Type::String, "").sensitive().volatile(),
    ];
    Schema { outside: false, ..schema("fake_set", Some("cluster"), attributes) }
}

fn context_schema() -> Schema {
    let attributes = vec![
        Attribute::required("name", Type::String, ""),
        Attribute::computed("uid", Type::String, ""),
        Attribute::computed("connection", Type::Any, "").sensitive(),
    ];
    Schema { classes: &["cluster"], ..schema("fake_context", None, attributes) }
}

fn data() -> Schema {
    schema("fake_data", None, vec![Attribute::required("name", Type::String, ""), Attribute::computed("value", Type::Any, "")])
}
