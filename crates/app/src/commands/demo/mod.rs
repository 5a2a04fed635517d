//! `spoke demo`: a local HubSpot, its copy in an SQLite file, and changes that the copy follows.
//!
//! Nothing here is a short cut: the emulator listens on a port, and the copy is made by the same pipeline that
//! `spoke sync` runs, from a configuration file that stays in the folder to be looked at.

mod copy;
mod folder;
mod portal;

use std::future::Future;
use std::time::{Duration, Instant};

use pipeline::Pipeline;
use tokio_util::sync::CancellationToken;

use self::copy::Copy;
use self::folder::Folder;
use self::portal::{Change, Portal};
use crate::cli::Demo;
use crate::commands::sync::{catch_up, follow_unseen, stop_when_interrupted};
use crate::compose;
use crate::exit::{Failure, Outcome};
use crate::lease::Lease;
use crate::printer::{data, note};
use crate::settings::Settings;

/// The object types that are copied.
const OBJECTS: [&str; 5] = ["contacts", "companies", "deals", "tickets", "line_items"];
/// How long to look at the copy before the next change, when following.
const BETWEEN_CHANGES: Duration = Duration::from_secs(5);
/// How often to look whether a change has arrived.
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// Runs the demo in its folder.
pub(crate) async fn run(arguments: Demo) -> Outcome {
    let folder = Folder::make(&arguments.dir)?;
    let portal = Portal::start().await?;
    data(&format!(
        "1. A local HubSpot is at {}, with {}",
        portal.url,
        portal.contents().await?
    ));

    let settings = Settings::parse(folder.config(), &folder.write_config(&portal.url)?)?;
    let demo = Running {
        folder,
        portal,
        settings,
        stop: stop_when_interrupted(),
    };
    data(&format!(
        "\n2. Snapshot into `{}`",
        demo.folder.database().display()
    ));
    let report = catch_up(&demo.pipeline().await?, &demo.stop).await?;
    data(&indented(&report.to_string()));
    if !demo.stop.is_cancelled() {
        demo.compare().await?;
        demo.while_following(demo.show(arguments.once)).await?;
    }
    demo.goodbye(arguments.once);
    Ok(())
}

struct Running {
    folder: Folder,
    portal: Portal,
    settings: Settings,
    stop: CancellationToken,
}

impl Running {
    async fn pipeline(&self) -> Outcome<Pipeline> {
        let (name, written) = self.settings.pipeline("crm")?;
        compose::pipeline(&self.settings, name, written).await
    }

    /// Does `work` while the pipeline follows changes, and stops it in good order afterwards.
    async fn while_following(&self, work: impl Future<Output = Outcome>) -> Outcome {
        let pipeline = self.pipeline().await?;
        let store = compose::state(&self.settings).await?.as_ref().clone();
        let _lease = Lease::take(self.settings.file.state.path(), &pipeline.name)?;
        let stop = self.stop.child_token();
        let mut follow = std::pin::pin!(follow_unseen(&pipeline, store, &stop));
        tokio::select! {
            // It ends by itself only when it fails or somebody stops the demo: then there is nothing more to show.
            ended = &mut follow => return ended.map(drop),
            done = work => done?,
        }
        stop.cancel();
        follow.await.map(drop)
    }

    /// What there is to see while the pipeline follows.
    async fn show(&self, once: bool) -> Outcome {
        data("\n3. Something happens in HubSpot, and the copy follows");
        self.change(1).await?;
        self.show_queries()?;
        if !once {
            data("\n5. Following: records keep changing, the copy keeps up; stop with Ctrl-C");
            for round in 2.. {
                tokio::time::sleep(BETWEEN_CHANGES).await;
                self.change(round).await?;
            }
        }
        Ok(())
    }

    /// Changes records, tells of each kind of change when it has arrived in the copy, and compares.
    async fn change(&self, round: u64) -> Outcome {
        let mut pending = self.portal.mutate(round).await?;
        let since = Instant::now();
        while !pending.is_empty() {
            tokio::time::sleep(BETWEEN_LOOKS).await;
            let mut missing = Vec::new();
            for change in pending {
                match self.has_arrived(&change).await? {
                    true => tell(&change, since.elapsed()),
                    false => missing.push(change),
                }
            }
            pending = missing;
        }
        self.compare().await
    }

    async fn has_arrived(&self, change: &Change) -> Outcome<bool> {
        let truth = self.portal.truth(change.object).await?;
        Copy::open(&self.folder.database())?.has(change.object, &change.ids, &truth)
    }

    /// The proof: every record that HubSpot has, against the row that the copy has.
    async fn compare(&self) -> Outcome {
        let copy = Copy::open(&self.folder.database())?;
        for object in OBJECTS {
            let truth = self.portal.truth(object).await?;
            let differences = copy.differences(object, &truth)?;
            if !differences.is_empty() {
                return Err(Failure::failed(format!(
                    "the copy of {object} differs: {}",
                    differences.join("; ")
                )));
            }
        }
        data(&format!(
            "   compared with HubSpot record by record: {}",
            copy.counts(&OBJECTS)?
        ));
        Ok(())
    }

    fn show_queries(&self) -> Outcome {
        let database = self.folder.database();
        data(&format!(
            "\n4. Three queries worth trying: `sqlite3 {}`",
            database.display()
        ));
        let copy = Copy::open(&database)?;
        for (question, sql) in copy::QUERIES {
            data(&format!(
                "\n   -- {question}\n{}\n\n{}",
                indented(sql),
                indented(&copy.query(sql)?)
            ));
        }
        Ok(())
    }

    fn goodbye(&self, once: bool) {
        let config = self.folder.config();
        note(&format!(
            "\nThe copy stays in `{}`; the configuration that made it is `{}`.",
            self.folder.database().display(),
            config.display()
        ));
        if once {
            note("Next: `spoke demo` keeps following, `spoke config init` starts with your own account.");
        }
    }
}

fn tell(change: &Change, after: Duration) {
    let what = format!("{} {} {}", change.count, change.object, change.kind);
    data(&format!(
        "   {what:28} in the copy after {:.1} s",
        after.as_secs_f64()
    ));
}

fn indented(text: &str) -> String {
    text.lines()
        .map(|line| format!("   {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}
