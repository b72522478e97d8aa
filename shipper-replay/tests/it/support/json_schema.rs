//! Validation of JSON against a schema, without network access.

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::Value;

/// A compiled schema.
pub(crate) struct Validator {
    schemas: Schemas,
    schema: SchemaIndex,
}

impl Validator {
    /// Compiles `schema`, of the draft that its `$schema` names. Formats such as `date-time` are checked, too.
    pub(crate) fn new(schema: Value) -> Self {
        let mut schemas = Schemas::new();
        let mut compiler = Compiler::new();
        compiler.enable_format_assertions();
        compiler.add_resource("memory:schema", schema).expect("a schema");
        let schema = compiler.compile("memory:schema", &mut schemas).unwrap_or_else(|error| panic!("{error:#}"));
        Self { schemas, schema }
    }

    /// Returns every violation as text.
    pub(crate) fn check(&self, value: &Value) -> Result<(), String> {
        self.schemas.validate(value, self.schema).map_err(|error| error.to_string())
    }

    pub(crate) fn is_valid(&self, value: &Value) -> bool {
        self.check(value).is_ok()
    }
}
