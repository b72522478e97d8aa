//! Removes secrets from text.

/// Secrets, and their replacement wherever a command or a registry prints them.
#[derive(Clone, Default)]
pub(super) struct Redactor(Vec<String>);

impl Redactor {
    pub(super) fn new(secrets: impl IntoIterator<Item = String>) -> Self {
        let mut redactor = Self::default();
        redactor.add(secrets);
        redactor
    }

    pub(super) fn add(&mut self, secrets: impl IntoIterator<Item = String>) {
        // A short secret would hide ordinary text, and tokens of registries are longer.
        let secrets = secrets.into_iter().map(|secret| secret.trim().to_owned()).filter(|secret| secret.len() >= 6);
        for secret in secrets {
            if !self.0.contains(&secret) {
                self.0.push(secret);
            }
        }
        // A secret may begin with another one.
        self.0.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    }

    pub(super) fn redact(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), "[hidden]"))
    }
}
